"""Skills that come with the platform, for those who want them: they run code nobody here has read.

The folder is loaded like any other, where AUTONOMY_CODE_SKILLS is on.
"""

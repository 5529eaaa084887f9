"""Skills that are declared in YAML: shell commands and HTTP calls (C-12).

A file becomes the same `Skill` that a Python module declares, so that everything above it, from the
map to the sandbox, need not know. Nothing here is imported where no such file lies in a folder.
"""

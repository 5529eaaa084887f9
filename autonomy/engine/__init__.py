"""The loop that decides where and when tasks run."""

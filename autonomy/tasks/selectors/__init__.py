"""What is read of tasks: what their sessions print, and the files they left."""

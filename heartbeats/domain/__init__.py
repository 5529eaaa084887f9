"""When something is due, and what was found. Plain values."""

"""One machine that claims, runs and verifies tasks."""

"""A steward for a git repository: it surveys, checks, mends and reports."""

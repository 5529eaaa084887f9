"""Twelve goals, each with a skill that reaches it and one that only says so (C-22)."""

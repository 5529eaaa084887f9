"""The engine in the admin: what was decided, and how much may run alone."""

from autonomy.engine.admin import decisions, dial

__all__ = ["decisions", "dial"]

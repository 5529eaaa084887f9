"""The API at /api/v1/: JSON, personal tokens, problems with stable codes (U-6)."""

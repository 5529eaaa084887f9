"""What exists: components, their owners and tiers, and nodes."""

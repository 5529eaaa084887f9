"""MAY IT HAPPEN: tiers, actions and their digests, approvals."""

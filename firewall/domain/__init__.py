"""What may happen: actions, digests, who may decide. Plain values."""

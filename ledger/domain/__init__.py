"""Plain values and arithmetic of the ledger."""

"""Sessions in real processes: the good, the bad, and what is left of them."""

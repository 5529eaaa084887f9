"""WHAT HAPPENED: events, outcomes, scores and the chain that seals them."""

"""Skills that do what none should, for the acceptance tests."""

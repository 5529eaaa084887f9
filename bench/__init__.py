"""Benchmarks that a user can run, with peers beside them: `make bench-NAME`."""

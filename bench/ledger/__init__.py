"""The ledger at ten million outcomes: `make bench-ledger`."""

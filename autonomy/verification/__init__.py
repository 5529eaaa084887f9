"""The library of verifiers that skills combine (C-21)."""

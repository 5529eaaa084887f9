"""Words for people: what may be shown, and how long ago."""

"""Skills for the tests of sessions: the good and the bad."""

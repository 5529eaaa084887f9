"""DECIDE AND DO: the system map, tasks, the decision engine, sessions and nodes."""

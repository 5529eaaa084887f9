"""What is known of a task after something has looked again at what it had proved (D-15)."""

CONFIRMED = "outcome_confirmed"
CONTRADICTED = "outcome_contradicted"
TYPES = {True: CONFIRMED, False: CONTRADICTED}
"""The type of the event, by whether the result is still, or really, there."""

"""What the engine reads: the world of a pass, and the facts behind an explanation."""

from autonomy.engine.selectors.explanations import explanation_of, placement_of
from autonomy.engine.selectors.weights import InForce, in_force
from autonomy.engine.selectors.world import Observed, last_owed, observe

__all__ = [
    "InForce",
    "Observed",
    "explanation_of",
    "in_force",
    "last_owed",
    "observe",
    "placement_of",
]

"""What the engine reads: the world of a pass, and the facts behind an explanation."""

from autonomy.engine.selectors.explanations import explanation_of, placement_of
from autonomy.engine.selectors.world import Observed, last_owed, observe, weights

__all__ = ["Observed", "explanation_of", "last_owed", "observe", "placement_of", "weights"]

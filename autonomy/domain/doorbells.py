"""The names under which doorbells travel: a node and a tier, nothing else (C-2)."""

RING = "autonomy.node.ring"


def queue_of(node: str, tier: int) -> str:
    """The queue that a node listens to for work of one tier."""
    return f"tier{tier}.{node}"

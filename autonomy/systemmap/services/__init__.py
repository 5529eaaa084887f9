"""Every write to the map: what nodes declare, how they come and go, and what an operator pauses."""

from autonomy.systemmap.services.components import (
    Changes,
    Declared,
    pause_components,
    resume_components,
    sync,
)
from autonomy.systemmap.services.nodes import (
    NodeFacts,
    Replaced,
    Standing,
    beat,
    drain_nodes,
    leave,
    pause_nodes,
    register,
    resume_nodes,
)

__all__ = [
    "Changes",
    "Declared",
    "NodeFacts",
    "Replaced",
    "Standing",
    "beat",
    "drain_nodes",
    "leave",
    "pause_components",
    "pause_nodes",
    "register",
    "resume_components",
    "resume_nodes",
    "sync",
]

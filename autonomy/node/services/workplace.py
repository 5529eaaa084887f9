"""The state of one node between two turns of its loop: what it is, holds and has to write down."""

import itertools
import os
import time
import zlib
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

from autonomy.domain.redaction import Redactor
from autonomy.node.services.artifacts import ArtifactStore
from autonomy.node.services.generations import Generations
from autonomy.node.services.held import Held, Look
from autonomy.sessions.pool import Loaded, SessionPool
from autonomy.tasks.services import Ending

# Above every range that distributions, containers and directories hand out (systemd, UIDS-GIDS).
FIRST_UID = 0x70000000
SLOTS_MAX = 64
MOST_HELD = SLOTS_MAX - 1  # the last user is that of looks


@dataclass(frozen=True)
class Node:
    """What an operator says about this node."""

    name: str
    slots: int
    tiers: tuple[int, ...]
    labels: tuple[str, ...]
    folder: Path  # its sessions live here; reachable for the users that sessions run as
    skills: tuple[Path, ...]
    protected: tuple[Path, ...]  # secrets and records: outside every scope
    verifier_url: str
    reader_url: str
    known: Callable[[], Redactor] = Redactor  # the secrets of this installation, as they are now


@dataclass(frozen=True)
class Write:
    """Something to be written down: again after an outage, so it has to bear being done twice."""

    act: Callable[[], object]
    refused: Callable[[Exception], object] = lambda _: None  # the database will never take it


@dataclass
class Workplace:
    """A node at work. Used by one thread only."""

    node: Node
    store: ArtifactStore
    generations: Generations
    incarnation: UUID
    held: dict[UUID, Held] = field(default_factory=dict)  # by session
    looks: dict[UUID, Look] = field(default_factory=dict)  # by the look's own session id
    endings: list[Ending] = field(default_factory=list)  # to be settled at the end of this turn
    results: list[Held] = field(default_factory=list)  # of sessions that ended without error
    writes: deque[Write] = field(default_factory=deque)  # other writes of this turn
    clock: Callable[[], float] = time.monotonic
    left: set[UUID] = field(default_factory=set)  # sessions given up here; their folders remain
    examined: set[tuple[UUID, int]] = field(default_factory=set)  # offers whose reads are looked at

    @property
    def pool(self) -> SessionPool:
        """What begins sessions and looks now."""
        return self.generations.newest

    def pools_in_use(self) -> set[SessionPool]:
        """The generations that something runs with."""
        return {h.pool for h in self.held.values()} | {k.pool for k in self.looks.values()}

    @property
    def at_work(self) -> int:
        """How many slots are in use: what waits for its next look needs none."""
        return sum(not held.waiting for held in self.held.values())

    @property
    def free_slots(self) -> int:
        """How many more sessions fit; each that is held, also one that waits, has its own user."""
        at_work = self.at_work + len(self.examined)
        return min(self.node.slots - at_work, MOST_HELD - len(self.held))

    def free_slot(self) -> int:
        """The lowest slot that nothing uses."""
        used = {held.slot for held in self.held.values()}
        return next(slot for slot in itertools.count() if slot not in used)

    def slot_of(self, uid: int) -> int:
        """The slot that a user belongs to; it may be no slot of this node."""
        return uid - (self.uid_of(0) or 0)

    def uid_of(self, slot: int) -> int | None:
        """As root, each slot is a user of its own, so that neighbours cannot touch each other."""
        if os.geteuid() != 0:
            return None
        mine = zlib.crc32(self.node.name.encode()) % 100_000
        return FIRST_UID + mine * SLOTS_MAX + slot

    def declared(self, skill: str) -> Loaded | None:
        """What this node has loaded under the name."""
        loaded = (c for c in self.pool.components if (c.kind, c.name) == ("skill", skill))
        return next(loaded, None)

    def leases(self) -> Iterator[Held]:
        """What has to be renewed: everything held that is not about to be settled."""
        return (held for held in self.held.values() if held.ended_at is None)

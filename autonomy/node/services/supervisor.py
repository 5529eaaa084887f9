"""The supervisor of a node: claims, renews, settles, reconciles and ends sessions.

One thread turns the loop below. It may block on the database; the zygote does not, and ends every
session whose lease is not renewed (C-6).
"""

import logging
import os
import selectors
import socket
import threading
import time
from collections.abc import Sequence
from contextlib import suppress

from django.db import DatabaseError, InterfaceError, connection

from autonomy.node.selectors import to_be_verified
from autonomy.node.services import folders
from autonomy.node.services.artifacts import ArtifactStore
from autonomy.node.services.generations import Generations
from autonomy.node.services.turn import Part, Turn, declare
from autonomy.node.services.workplace import Node, Workplace
from autonomy.systemmap import services as systemmap
from autonomy.tasks import services as tasks

logger = logging.getLogger(__name__)

DATABASE_AWAY_SECONDS = 1.0
PATIENCE_SECONDS = 5.0
"""For what runs when the node is told to stop; those who tell it wait a little longer."""


class Supervisor:
    """Turns the loop of one node until it is told to stop."""

    def __init__(self, node: Node, store: ArtifactStore, parts: Sequence[Part] = ()) -> None:
        self.node = node
        self.store = store
        self.parts = parts
        self._stopping = threading.Event()
        self._bell, self._ringer = socket.socketpair()
        for end in (self._bell, self._ringer):
            end.settimeout(0)

    # -- from other threads

    def ring(self) -> None:
        """There may be work: look at once."""
        with suppress(OSError):  # it is ringing already, or nobody listens any more
            self._ringer.send(b"!")

    def stop(self) -> None:
        """Take nothing new, let what runs end for a while, hand the rest back, leave the map."""
        self._stopping.set()
        self.ring()

    @property
    def stopping(self) -> bool:
        """Whether its end was asked for."""
        return self._stopping.is_set()

    # -- the loop

    def run(self) -> None:
        """Join, work until stopped, leave. Outages of the database are survived."""
        with self._bell, self._ringer:
            place = self._join()
            if place is None:
                return
            turn, ours = Turn(place, self.parts), False
            try:
                ours = self._work(turn)
            finally:
                place.generations.close()
                if ours:
                    self._hand_back(turn)
                self._leave(place)

    def _join(self) -> Workplace | None:
        generations = Generations(self.node.skills, self.node.protected)
        while not self._stopping.is_set():
            try:
                return self._enter(generations)
            except (DatabaseError, InterfaceError) as error:
                logger.warning("node %s cannot join yet: %s", self.node.name, error)
                connection.close()
                self._stopping.wait(DATABASE_AWAY_SECONDS)
        generations.close()
        return None

    def _enter(self, generations: Generations) -> Workplace:
        incarnation = systemmap.register(
            systemmap.NodeFacts(
                name=self.node.name,
                tiers=self.node.tiers,
                slots=self.node.slots,
                labels=self.node.labels,
                isolation=generations.isolation,
                pid=os.getpid(),
            )
        )
        tasks.release(self.node.name)
        folders.sweep(self.node.folder, living=to_be_verified(self.node.name))
        place = Workplace(self.node, self.store, generations, incarnation)
        declare(place)
        return place

    def _leave(self, place: Workplace) -> None:
        try:
            systemmap.leave(self.node.name, place.incarnation)
        except (DatabaseError, InterfaceError, systemmap.Replaced) as error:
            logger.warning("node %s left without saying so: %s", self.node.name, error)
        finally:
            connection.close()

    def _work(self, turn: Turn) -> bool:
        """Work until told to stop; false where another process has taken the node's name."""
        try:
            self._turn_on(turn)
        except systemmap.Replaced as error:
            logger.error("%s; this process ends", error)
            return False
        return True

    def _turn_on(self, turn: Turn) -> None:
        """Turn after turn until told to stop; then only until what runs has ended, for a while."""
        place = turn.place
        with selectors.DefaultSelector() as selector:
            selector.register(self._bell, selectors.EVENT_READ)
            selector.register(place.generations, selectors.EVENT_READ)
            while not self._stopping.is_set():
                self._take(turn, selector, turn.wait())
            turn.claiming.closed = True
            until = place.clock() + PATIENCE_SECONDS
            while place.held and (left := until - place.clock()) > 0:
                self._take(turn, selector, min(left, turn.wait()))

    def _take(self, turn: Turn, selector: selectors.BaseSelector, wait: float) -> None:
        """Wait for news, and take them; an outage of the database is waited out."""
        ready = selector.select(wait)
        rung = any(key.fileobj is self._bell for key, _ in ready)
        if rung:
            _drain(self._bell)
        try:
            turn.take(rung=rung)
        except (DatabaseError, InterfaceError) as error:
            logger.warning("the database is away: %s", error)
            connection.close()
            turn.database_away()
            time.sleep(DATABASE_AWAY_SECONDS)

    @staticmethod
    def _hand_back(turn: Turn) -> None:
        try:
            turn.leaving.hand_back()
        except (DatabaseError, InterfaceError) as error:
            logger.warning("what this node held is left to the end of its leases: %s", error)
            connection.close()


def _drain(bell: socket.socket) -> None:
    try:
        while bell.recv(4096):
            pass
    except BlockingIOError:
        return

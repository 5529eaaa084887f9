"""What each app does on every node, about every second: composed here, run by the supervisor."""

import heartbeats.services
from autonomy.node.services.looks import Looks
from ledger import services as ledger


def watch(looks: Looks) -> None:
    """Notice what is due and let detectors look (C-5)."""
    heartbeats.services.sweep(looks)


def seal(_: Looks) -> None:
    """Seal what was recorded, and write the head of the chain down outside the database (C-24)."""
    if ledger.seal():
        ledger.anchor()

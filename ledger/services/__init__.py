"""What may be written to the ledger."""

from ledger.domain.facts import Fact
from ledger.services.events import NoTransaction, record

__all__ = ["Fact", "NoTransaction", "record"]

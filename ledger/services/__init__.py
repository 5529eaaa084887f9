"""What may be written to the ledger."""

from ledger.domain.facts import Fact
from ledger.domain.outcomes import NewOutcome
from ledger.services.anchoring import anchor
from ledger.services.clock import ClockWentBack
from ledger.services.erasing import NothingToErase, erase
from ledger.services.events import NoTransaction, record
from ledger.services.months import turn_months
from ledger.services.nodetime import add_node_time
from ledger.services.outcomes import record_outcomes
from ledger.services.scores import fold_scores
from ledger.services.sealing import seal
from ledger.services.second_looks import NothingProved, record_second_look
from ledger.services.verifying import verify

__all__ = [
    "ClockWentBack",
    "Fact",
    "NewOutcome",
    "NoTransaction",
    "NothingProved",
    "NothingToErase",
    "add_node_time",
    "anchor",
    "erase",
    "fold_scores",
    "record",
    "record_outcomes",
    "record_second_look",
    "seal",
    "turn_months",
    "verify",
]

"""What the ledger answers."""

from ledger.selectors.chain import ChainStatus, chain_status, database_time
from ledger.selectors.estimates import estimates
from ledger.selectors.outcomes import Headline, headline, outcomes_of

__all__ = [
    "ChainStatus",
    "Headline",
    "chain_status",
    "database_time",
    "estimates",
    "headline",
    "outcomes_of",
]

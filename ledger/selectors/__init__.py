"""What the ledger answers."""

from ledger.selectors.chain import ChainStatus, chain_status, database_time
from ledger.selectors.estimates import estimates

__all__ = ["ChainStatus", "chain_status", "database_time", "estimates"]

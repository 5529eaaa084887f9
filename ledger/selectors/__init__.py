"""What the ledger answers."""

from ledger.selectors.bodies import bodies
from ledger.selectors.chain import ChainStatus, chain_status, database_time
from ledger.selectors.estimates import estimates
from ledger.selectors.figures import SkillFigures, Today, by_skill, headline, today
from ledger.selectors.outcomes import outcomes_of

__all__ = [
    "ChainStatus",
    "SkillFigures",
    "Today",
    "bodies",
    "by_skill",
    "chain_status",
    "database_time",
    "estimates",
    "headline",
    "outcomes_of",
    "today",
]

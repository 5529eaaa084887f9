"""What the firewall does: ask a person, take the answer, and never take silence for one."""

from firewall.domain.request import EXPIRES_AFTER, Request
from firewall.services.asking import AskedTooLate, expire_due, request, void
from firewall.services.deciding import (
    AlreadyDecided,
    DecisionRefused,
    DigestDiffers,
    Expired,
    NotAllowed,
    decide,
)
from firewall.services.groups import ensure_groups
from firewall.services.solo import SoloRefused, begin_solo, end_solo

__all__ = [
    "EXPIRES_AFTER",
    "AlreadyDecided",
    "AskedTooLate",
    "DecisionRefused",
    "DigestDiffers",
    "Expired",
    "NotAllowed",
    "Request",
    "SoloRefused",
    "begin_solo",
    "decide",
    "end_solo",
    "ensure_groups",
    "expire_due",
    "request",
    "void",
]

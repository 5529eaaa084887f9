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
from firewall.services.dial import (
    DialRefused,
    Turned,
    choose,
    ensure_dial,
    hearers,
    notice_turn,
    resume,
    set_ceiling,
    stop,
)
from firewall.services.groups import ensure_groups
from firewall.services.solo import SoloRefused, begin_solo, end_solo

__all__ = [
    "EXPIRES_AFTER",
    "AlreadyDecided",
    "AskedTooLate",
    "DecisionRefused",
    "DialRefused",
    "DigestDiffers",
    "Expired",
    "NotAllowed",
    "Request",
    "SoloRefused",
    "Turned",
    "begin_solo",
    "choose",
    "decide",
    "end_solo",
    "ensure_dial",
    "ensure_groups",
    "expire_due",
    "hearers",
    "notice_turn",
    "request",
    "resume",
    "set_ceiling",
    "stop",
    "void",
]

"""What is refused before anything of a session is run."""

from autonomy.domain.isolation import FOREIGN_CODE, told
from autonomy.sessions.envelope import Envelope
from autonomy.sessions.isolation import Isolation
from autonomy.sessions.namespaces import is_root


class Refused(Exception):
    """The session cannot be bounded as it must be; nothing of it was run."""


class TooWeak(Refused):
    """This machine cuts sessions off less than this one asks for."""


def check(envelope: Envelope, isolation: Isolation) -> None:
    """Before anything is begun: raises Refused for what cannot be bounded as it must be."""
    if envelope.uid is not None and not is_root():
        raise Refused(f"only root can start a session as user {envelope.uid}")
    if is_root() and not envelope.uid:
        raise Refused("no session runs as root; it needs a user of its own")
    least = max(envelope.isolation, FOREIGN_CODE if envelope.foreign_code else 0)
    if isolation.level < least:
        raise TooWeak(
            f"it needs isolation {told(least)}, and this node offers {told(isolation.level)}; "
            "see `autonomy doctor` for what is missing, or run it on another node"
        )

"""Keeping the head of the chain where whoever rewrites the database does not reach (C-24)."""

import os
from pathlib import Path
from uuid import UUID

from django.conf import settings

from ledger.domain.anchors import Anchor, line
from ledger.domain.ids import DEFAULT_WORKSPACE
from ledger.selectors import chain
from ledger.selectors.anchors import anchor_file

_TAIL_BYTES = 1024  # more than one line


def anchor(*, workspace_id: UUID = DEFAULT_WORKSPACE) -> Anchor | None:
    """Append the head to the anchor file as a signed line; None when it is there already."""
    head = chain.head(workspace_id)
    if not head.number:
        return None
    kept = Anchor(
        workspace_id=str(workspace_id),
        number=head.number,
        last_sequence=head.last_sequence,
        hash=head.hash,
        at=chain.database_time().isoformat(timespec="microseconds"),
    )
    return kept if _append(anchor_file(), line(kept, settings.SECRET_KEY), head.hash) else None


def _append(path: Path, written: str, mark: str) -> bool:
    """Write a line that reaches the disk, unless the newest line bears the mark."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        end = os.fstat(descriptor).st_size
        tail = os.pread(descriptor, _TAIL_BYTES, max(0, end - _TAIL_BYTES))
        torn = bool(tail) and not tail.endswith(b"\n")
        if not torn and mark.encode() in tail.rpartition(b'{"at"')[2]:
            return False
        os.write(descriptor, f"{chr(10) * torn}{written}\n".encode())
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    return True

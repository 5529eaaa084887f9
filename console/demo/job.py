"""The main job while the platform runs: a watch is put to work, and what grows from it is read."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial

from django.contrib.auth.models import User
from django.db import Error
from django.db.models.functions import Now

from autonomy.systemmap.models import Kind
from autonomy.systemmap.selectors import nodes_alive, usable
from console.demo.source import Copy
from console.following import ask
from console.selectors.runs import Run, run_of
from firewall.selectors import principal
from heartbeats.models import Noticed, Watch
from heartbeats.services import disable, put_to_work

DETECTOR = "repo_changed"
EVERY = "2s"
_PREFIX = "steward "
_FORGOTTEN_AFTER = timedelta(hours=1)


class DetectorStopped(Exception):
    """The platform, or a person, has switched the detector off while it was needed."""


def loaded() -> bool:
    """Whether a node lives that has declared the steward's detector."""
    return usable(Kind.DETECTOR).filter(name=DETECTOR).exists() and nodes_alive().exists()


@contextmanager
def watched(copy: Copy, person: User) -> Iterator[Watch]:
    """The detector looks at this origin for as long as the block lasts."""
    by = principal(person)
    params = {"origin": str(copy.origin), "branch": copy.branch}
    ask(partial(_switch_off_forgotten, by))
    name = f"{_PREFIX}{copy.name}"
    watch = ask(partial(put_to_work, name, DETECTOR, params, every=EVERY, by=by))
    try:
        yield watch
    finally:
        _switch_off(watch, by)


def seen(watch: Watch) -> Run:
    """All that grew from the first head that was noticed; raises DetectorStopped.

    The merge makes a new head, and the steward looks at that one too: another run, not this one.
    """
    watch.refresh_from_db(fields=["enabled", "disabled_reason"])
    if not watch.enabled:
        raise DetectorStopped(f"{DETECTOR} was switched off: {watch.disabled_reason}")
    found = Noticed.objects.filter(watch=watch.pk, task_id__isnull=False).order_by("id")
    return run_of([id_ for id_ in found.values_list("task_id", flat=True)[:1] if id_])


def _switch_off(watch: Watch, by: str) -> None:
    try:
        disable(watch, "the run it was for has ended", by=by)
    except Error:
        # The database is gone with the platform; the next run switches it off.
        return


def _switch_off_forgotten(by: str) -> None:
    """What a run left on that was killed."""
    old = Watch.objects.filter(name__startswith=_PREFIX, detector=DETECTOR, enabled=True)
    for watch in old.filter(created_at__lt=Now() - _FORGOTTEN_AFTER):
        disable(watch, "the run it was for was killed", by=by)

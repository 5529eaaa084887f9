"""The dial: how much may run alone, who may turn it, and who hears of it (D-19, F-11)."""

from collections.abc import Callable, Iterator

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, connection, transaction

from firewall import services
from firewall.domain.levels import Level, lowest, of_rank
from firewall.models import Dial
from firewall.selectors import asks_about, level
from firewall.services import DialRefused, Turned
from ledger.models import Event

pytestmark = pytest.mark.django_db

WHY = "the auditors are here"


@pytest.fixture
def root(person: Callable[..., User]) -> User:
    return person("root", "admin")


@pytest.fixture
def heard() -> Iterator[list[Turned]]:
    told: list[Turned] = []
    services.hearers.append(told.append)
    yield told
    services.hearers.remove(told.append)


def test_everything_is_allowed_at_first() -> None:
    assert level() is Level.FULL


def test_without_its_row_nothing_starts() -> None:
    Dial.objects.all().delete()

    assert level() is Level.OFF


def test_there_is_one_row_and_it_knows_five_levels() -> None:
    for broken in ({"id": 2}, {"id": 1, "ceiling": 5}):
        Dial.objects.all().delete()
        with pytest.raises(IntegrityError), transaction.atomic():
            Dial.objects.create(**broken)


def test_the_lower_of_ceiling_and_evidence_is_in_force(root: User) -> None:
    services.choose(Level.CAREFUL, reason="confidence is 65 %", evidence={"confidence": 650_000})
    assert level() is Level.CAREFUL

    services.set_ceiling(root, Level.ASK, reason=WHY)
    assert level() is Level.ASK

    services.set_ceiling(root, Level.FULL, reason=WHY)
    assert level() is Level.CAREFUL


def test_a_change_is_an_event_with_its_evidence() -> None:
    services.choose(Level.ASK, reason="confidence is 45 %", evidence={"confidence": 450_000})

    told = Event.objects.get(type="autonomy_level_changed")
    assert (told.stream, told.stream_id, told.actor) == ("platform", "autonomy", "engine")
    assert told.payload == {
        "level": "ask", "was": "full", "reason": "confidence is 45 %",
        "evidence": {"confidence": 450_000},
    }  # fmt: skip


def test_a_turn_below_what_is_in_force_is_no_change(root: User) -> None:
    services.set_ceiling(root, Level.OBSERVE, reason=WHY)

    services.choose(Level.CAREFUL, reason="confidence is 65 %", evidence={})

    assert Event.objects.filter(type="autonomy_level_changed").count() == 1
    assert level() is Level.OBSERVE


def test_each_change_is_told_once_after_its_commit(
    root: User, heard: list[Turned], django_capture_on_commit_callbacks: Callable[..., object]
) -> None:
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[attr-defined]
        services.stop(root, reason=WHY)
        assert heard == []
        services.choose(Level.ASK, reason="low", evidence={})

    assert [(told.before, told.level, told.by) for told in heard] == [
        (Level.FULL, Level.OFF, "person:root")
    ]


def test_who_cannot_be_told_keeps_no_other_from_hearing(
    root: User, heard: list[Turned], django_capture_on_commit_callbacks: Callable[..., object]
) -> None:
    def fails(_: Turned) -> None:
        raise ConnectionError("no mail today")

    services.hearers.insert(0, fails)
    try:
        with django_capture_on_commit_callbacks(execute=True):  # type: ignore[attr-defined]
            services.stop(root, reason=WHY)
    finally:
        services.hearers.remove(fails)

    assert len(heard) == 1
    assert level() is Level.OFF


def test_resuming_goes_back_to_the_ceiling_before_the_stop(root: User) -> None:
    services.set_ceiling(root, Level.CAREFUL, reason=WHY)
    services.stop(root, reason=WHY)
    services.stop(root, reason="once more")

    services.resume(root, reason="all is well")

    assert level() is Level.CAREFUL


def test_resuming_what_runs_is_refused(root: User) -> None:
    with pytest.raises(DialRefused, match="nothing is stopped"):
        services.resume(root, reason=WHY)


@pytest.mark.parametrize(
    ("group", "may_stop", "may_resume"),
    [
        ("viewer", False, False),
        ("operator", True, False),
        ("approver", True, False),
        ("admin", True, True),
        ("service", False, False),
    ],
)
def test_whoever_may_act_may_stop_and_administrators_resume(
    person: Callable[..., User], group: str, may_stop: bool, may_resume: bool
) -> None:
    cleo, root = person("cleo", group), person("root", "admin")

    assert _done(lambda: services.stop(cleo, reason=WHY)) is may_stop
    if not may_stop:
        services.stop(root, reason=WHY)
    assert _done(lambda: services.resume(cleo, reason=WHY)) is may_resume


def _done(act: Callable[[], Turned]) -> bool:
    try:
        act()
    except DialRefused:
        return False
    return True


def test_a_turn_needs_a_reason(root: User) -> None:
    with pytest.raises(DialRefused, match="reason"):
        services.stop(root, reason=" x ")
    assert level() is Level.FULL


def test_one_row_of_sql_stops_everything_and_is_noticed() -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE firewall_dial SET ceiling = 0")
    assert level() is Level.OFF

    turned = services.notice_turn()

    assert (turned.by, turned.level, turned.changed) == ("database", Level.OFF, True)
    assert not services.notice_turn().changed
    assert Event.objects.filter(type="autonomy_level_changed", actor="database").count() == 1


@pytest.mark.parametrize(
    ("in_force", "asked"),
    [(Level.FULL, {3}), (Level.CAREFUL, {3}), (Level.ASK, {2, 3}), (Level.OBSERVE, {2, 3})],
)
def test_below_careful_tier_two_waits_for_a_person_as_well(
    root: User, in_force: Level, asked: set[int]
) -> None:
    services.set_ceiling(root, in_force, reason=WHY)

    assert {tier for tier in (1, 2, 3) if asks_about(tier)} == asked


def test_ranks_and_levels_agree() -> None:
    assert [of_rank(level.rank) for level in Level] == list(Level)
    assert of_rank(None) is of_rank(7) is Level.OFF
    assert lowest(Level.FULL, Level.ASK, Level.CAREFUL) is Level.ASK

"""What is declared and no good, or runs and is not declared, is flagged: that, and no more."""

import dataclasses
from collections import Counter
from collections.abc import Iterable
from datetime import timedelta

import pytest
from django.db.models import F
from django.db.models.functions import Now

from autonomy.domain.states import State
from autonomy.systemmap import selectors
from autonomy.systemmap.models import Component, Node
from autonomy.systemmap.services import Declared, NodeFacts, pause_components, register, sync
from autonomy.tasks.models import Task
from console.selectors.system import components
from ledger.domain.ids import new_id
from ledger.models import SkillDay
from ledger.services import NewOutcome, record_outcomes

pytestmark = pytest.mark.django_db

NODE = "n1"
GOOD = NewOutcome(
    task_id=new_id(), epoch=1, skill="", tier=1, state="done", verdict="verified", node=NODE,
    session_id=new_id(),
)  # fmt: skip
BAD = dataclasses.replace(GOOD, state="failed", verdict="refuted")


def declare(*names: str, days_ago: int = 30, **fields: object) -> list[Declared]:
    """Skills that one node has loaded, declared so long ago."""
    if not Node.objects.filter(name=NODE).exists():
        register(NodeFacts(name=NODE, tiers=[1, 2, 3], slots=4))
    given = {"version": "1", "tier": 1, "owner": "ann", **fields}
    made = [Declared("skill", name, **given) for name in names]  # type: ignore[arg-type]
    sync([*_loaded(), *made], {}, node=NODE)
    Component.objects.filter(name__in=names).update(declared_at=Now() - timedelta(days=days_ago))
    return made


def _loaded() -> list[Declared]:
    """What the node has loaded so far."""
    rows = Component.objects.filter(retired_at=None)
    fields = [field.name for field in dataclasses.fields(Declared)]
    return [Declared(**row) for row in rows.values(*fields)]


def ended(outcome: NewOutcome, *skills: str) -> None:
    record_outcomes(
        [dataclasses.replace(outcome, task_id=new_id(), skill=skill) for skill in skills]
    )


def flagged(running: Iterable[str] = ()) -> list[tuple[str, str]]:
    return sorted((flag.problem, flag.name) for flag in selectors.shelfware(running))


def names(prefix: str, count: int) -> list[str]:
    return [f"{prefix}.{number}" for number in range(count)]


@pytest.fixture
def forty() -> None:
    """30 used and verified, 4 never run, 3 never verified, 2 not declared, 1 without owner."""
    used, idle, vain = names("used", 30), names("idle", 4), names("vain", 3)
    declare(*used, *idle, *vain)
    declare("nobodys", owner="")
    ended(GOOD, *used, "nobodys")
    ended(BAD, *used[:10], *vain)
    node = Node.objects.get(name=NODE)
    node.versions = {**node.versions, "strange.loaded": "1"}
    node.save(update_fields=["versions"])
    a_session_of("strange.running")


def a_session_of(skill: str) -> None:
    """A task that a node holds now."""
    Task.objects.create(
        run_id=new_id(), skill=skill, tier=1, state=State.RUNNING, origin="x", requested_by="x",
        estimate_seconds=1, max_attempts=1, node=NODE, session_id=new_id(),
        lease_until=Now() + timedelta(seconds=30),
    )  # fmt: skip


def on_the_map() -> Counter[str]:
    """How many flags of each kind the map shows, in its words."""
    return Counter(words for line in components() for words in line.flags)


@pytest.mark.usefixtures("forty")
def test_a_map_of_forty_has_exactly_its_flags() -> None:
    assert flagged(["strange.running", "used.0"]) == sorted(
        [
            *(("never_run", name) for name in names("idle", 4)),
            *(("never_verified", name) for name in names("vain", 3)),
            ("undeclared", "strange.loaded"),
            ("undeclared", "strange.running"),
            ("no_owner", "nobodys"),
        ]
    )
    assert on_the_map().total() == 10
    assert len(components()) == 38 + 2


@pytest.mark.usefixtures("forty")
def test_each_flag_is_gone_with_its_cause() -> None:
    ended(GOOD, "idle.0", "vain.0")
    declare("nobodys", owner="bob")
    Task.objects.update(state=State.VERIFYING, lease_until=None)
    assert "strange.loaded" not in Node.objects.get(name=NODE).versions  # loaded anew by declare

    assert flagged() == [
        *(("never_run", name) for name in names("idle", 4)[1:]),
        *(("never_verified", name) for name in names("vain", 3)[1:]),
    ]
    assert on_the_map().total() == 5

    ended(GOOD, *names("idle", 4), *names("vain", 3))
    assert flagged() == []


@pytest.mark.usefixtures("forty")
def test_the_flags_take_the_same_statements_for_any_map(django_assert_num_queries) -> None:  # type: ignore[no-untyped-def]
    with django_assert_num_queries(4):
        selectors.shelfware(["strange.running"])


def test_what_is_new_has_a_day_to_show_itself() -> None:
    declare("young", days_ago=0)

    assert flagged() == []

    Component.objects.update(declared_at=F("declared_at") - timedelta(days=1, seconds=1))
    assert flagged() == [("never_run", "young")]


def test_what_a_person_paused_need_not_run() -> None:
    declare("tired")
    pause_components(Component.objects.values_list("id", flat=True), by="person:ann")

    assert flagged() == []


def test_what_is_retired_is_not_flagged_but_while_a_session_of_it_runs() -> None:
    declare("old")
    ended(BAD, "old")
    sync([], {}, node=NODE)
    assert Component.objects.get().retired_at is not None

    assert flagged() == []
    assert flagged(["old"]) == [("undeclared", "old")]


def test_a_detector_has_no_outcomes_and_needs_none() -> None:
    register(NodeFacts(name=NODE, tiers=[1], slots=1))
    sync([Declared("detector", "disk_low", owner="ann")], {}, node=NODE)
    Component.objects.create(kind="service", name="mail", owner="ann")
    Component.objects.update(declared_at=Now() - timedelta(days=9))

    assert flagged() == []


def test_a_skill_that_only_canaries_run_is_not_idle() -> None:
    declare("platform.canary")
    ended(dataclasses.replace(GOOD, canary=True), "platform.canary")

    assert flagged() == []


def test_a_skill_that_was_renamed_is_new_under_its_name_and_the_old_one_is_gone() -> None:
    declare("mail.sort")
    ended(GOOD, "mail.sort")

    sync([Declared("skill", "mail.file", version="2", owner="ann")], {}, node=NODE)

    assert flagged() == []


def test_what_was_cancelled_before_it_ran_has_not_run() -> None:
    declare("idle")
    stopped = dataclasses.replace(GOOD, state="cancelled", verdict="", session_id=None, node="")
    ended(stopped, "idle")

    assert flagged() == [("never_run", "idle")]


def test_a_skill_without_a_verifier_is_told_so() -> None:
    declare("blind", declaration={"has_verifier": False})
    ended(dataclasses.replace(GOOD, verdict="unverified"), "blind")

    (flag,) = selectors.shelfware()
    assert (flag.problem, flag.words) == (
        "never_verified",
        "it runs, and has no verifier that could prove it works",
    )


def test_what_ran_within_a_day_without_ever_being_declared_is_flagged_until_it_is() -> None:
    declare("known")
    ended(GOOD, "known", "ghost")
    assert flagged() == [("undeclared", "ghost")]

    declare("ghost")
    assert flagged() == []


def test_what_ran_long_ago_without_being_declared_is_history() -> None:
    ended(GOOD, "ghost")
    SkillDay.objects.update(last_ran_at=F("last_ran_at") - timedelta(days=2))

    assert flagged() == []


def test_a_node_that_is_away_has_nothing_loaded() -> None:
    register(NodeFacts(name=NODE, tiers=[1], slots=1))
    Node.objects.update(versions={"ghost": "1"}, seen_at=Now() - timedelta(minutes=1))

    assert flagged() == []


def test_a_broken_module_is_flagged_as_that_alone() -> None:
    register(NodeFacts(name=NODE, tiers=[1], slots=1))
    sync([], {"skills/bad.py": "Traceback\nSyntaxError: no"}, node=NODE)
    Component.objects.update(declared_at=Now() - timedelta(days=9))

    assert flagged() == [("broken", "skills/bad.py")]


def test_sums_are_enough_when_the_outcomes_are_gone() -> None:
    declare("used")
    ended(GOOD, "used")
    SkillDay.objects.update(day=F("day") - timedelta(days=900))

    assert flagged() == []
    assert selectors.components().get().last_verified_at is not None

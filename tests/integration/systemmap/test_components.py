"""What nodes declare is on the map, and the map says when it changed."""

import dataclasses
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from autonomy.sdk.registry import Registry
from autonomy.sdk.skill import Skill, skill
from autonomy.systemmap import selectors
from autonomy.systemmap.models import Component, Node
from autonomy.systemmap.services import (
    Changes,
    Declared,
    NodeFacts,
    leave,
    pause_components,
    register,
    resume_components,
    sync,
)
from ledger.domain.ids import new_id
from ledger.models import Event, Outcome
from ledger.services import NewOutcome, record_outcomes
from tests.support.threads import at_once

pytestmark = pytest.mark.django_db


def tidy(**changed: Any) -> Declared:
    tidy = Declared("skill", "files.tidy", version="1", tier=2, owner="ann")
    return dataclasses.replace(tidy, **changed)


def joined(name: str, *components: Declared) -> Changes:
    register(NodeFacts(name=name, tiers=[1, 2, 3], slots=2))
    return sync(components, {}, node=name)


def events(*types: str) -> list[tuple[str, str]]:
    found = (
        Event.objects.filter(type__in=types) if types else Event.objects.filter(stream="component")
    )
    return list(found.order_by("id").values_list("type", "stream_id"))


def outcome_of(skill: str, verdict: str, *, canary: bool = False) -> Outcome:
    made = NewOutcome(
        task_id=new_id(), epoch=1, skill=skill, tier=1, state="done", verdict=verdict, canary=canary
    )
    record_outcomes([made])
    return Outcome.objects.get(task_id=made.task_id)


def test_what_a_node_has_loaded_is_on_the_map() -> None:
    changes = joined(
        "a", tidy(description="Tidies"), tidy(kind="detector", name="disk_low", tier=1)
    )

    found = Component.objects.get(name="files.tidy")
    assert (found.tier, found.owner, found.description, found.version) == (2, "ann", "Tidies", "1")
    assert set(changes.declared) == {("skill", "files.tidy"), ("detector", "disk_low")}
    assert ("component_declared", "skill:files.tidy") in events()
    node = Node.objects.get(name="a")
    assert (node.versions, node.detectors) == ({"files.tidy": "1"}, {"disk_low": "1"})


def test_a_second_node_with_the_same_code_changes_nothing() -> None:
    joined("a", tidy())

    assert joined("b", tidy()) == Changes()
    assert events() == [("component_declared", "skill:files.tidy")]


def test_the_declaration_of_a_real_skill_is_the_same_after_it_was_stored(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("autonomy.sdk.registry._current", Registry())

    @skill(tier=2, labels=["gpu"])
    def resize(ctx: Any, path: str, sizes: tuple[int, ...] = (1, 2)) -> dict[str, int]:
        """Resizes a picture."""
        return {}

    def as_declared(skill: Skill) -> Declared:
        return Declared(
            "skill", skill.name, "1", skill.tier, "", skill.description, skill.declaration()
        )

    joined("a", as_declared(resize))

    assert joined("a", as_declared(resize)) == Changes()


def test_new_code_is_a_change_with_both_versions() -> None:
    joined("a", tidy())

    changes = joined("a", tidy(version="2"))

    assert changes.changed == (("skill", "files.tidy"),)
    payload = Event.objects.get(type="component_changed").payload
    assert (payload["old_version"], payload["version"]) == ("1", "2")


def test_lowering_a_tier_is_told_apart_from_other_changes() -> None:
    joined("a", tidy(tier=3))

    changes = joined("a", tidy(tier=1))

    assert changes.lowered == (("skill", "files.tidy"),)
    payload = Event.objects.get(type="component_tier_lowered").payload
    assert (payload["old_tier"], payload["tier"]) == (3, 1)


def test_raising_a_tier_is_only_a_change() -> None:
    joined("a", tidy(tier=1))

    assert joined("a", tidy(tier=3)).lowered == ()


def test_what_no_live_node_declares_is_retired_and_comes_back() -> None:
    joined("a", tidy())

    changes = joined("a")

    assert changes.retired == (("skill", "files.tidy"),)
    assert Component.objects.get(name="files.tidy").retired_at is not None
    assert joined("a", tidy()).declared == (("skill", "files.tidy"),)
    assert Component.objects.get(name="files.tidy").retired_at is None


def test_what_another_live_node_declares_is_kept() -> None:
    joined("a", tidy())

    assert joined("b").retired == ()


def test_what_only_a_node_that_left_declares_is_retired() -> None:
    incarnation = register(NodeFacts(name="a", tiers=[1], slots=1))
    sync([tidy()], {}, node="a")
    leave("a", incarnation)

    assert joined("b").retired == (("skill", "files.tidy"),)


def test_a_broken_module_is_on_the_map_with_its_traceback_and_stops_nothing_else() -> None:
    register(NodeFacts(name="a", tiers=[1], slots=1))

    sync([tidy()], {"skills/bad.py": "Traceback …\0\nSyntaxError: invalid"}, node="a")

    broken = Component.objects.get(name="skills/bad.py")
    assert "SyntaxError" in broken.problem
    assert selectors.declared_skill("files.tidy").tier == 2
    with pytest.raises(selectors.UnknownSkill):
        selectors.declared_skill("skills/bad.py")
    assert [flag.words for flag in selectors.shelfware() if flag.problem == "broken"] == [
        "SyntaxError: invalid"
    ]


def test_a_module_that_was_mended_leaves_the_map() -> None:
    register(NodeFacts(name="a", tiers=[1], slots=1))
    sync([], {"skills/bad.py": "SyntaxError"}, node="a")

    assert joined("a", tidy()).retired == (("skill", "skills/bad.py"),)


def test_a_sync_takes_the_same_statements_for_one_component_and_for_two_hundred() -> None:
    def statements(count: int) -> int:
        with CaptureQueriesContext(connection) as captured:
            sync([tidy(name=f"s.{i}") for i in range(count)], {}, node="a")
        return len(captured)

    register(NodeFacts(name="a", tiers=[1], slots=1))

    assert statements(1) == statements(200) == 9


@pytest.mark.django_db(transaction=True)
def test_two_nodes_that_sync_at_once_declare_each_component_once() -> None:
    names = [f"s.{i}" for i in range(50)]
    register(NodeFacts(name="a", tiers=[1], slots=1))
    register(NodeFacts(name="b", tiers=[1], slots=1))

    at_once(
        lambda: sync([tidy(name=name) for name in names], {}, node="a"),
        lambda: sync([tidy(name=name) for name in reversed(names)], {}, node="b"),
    )

    assert Component.objects.count() == 50
    assert Event.objects.filter(type="component_declared").count() == 50


def test_an_unknown_skill_is_refused_with_the_nearest_names() -> None:
    joined("a", tidy(), tidy(name="mail.send"))

    with pytest.raises(selectors.UnknownSkill, match=r"'files.tydi'.*did you mean files.tidy\?"):
        selectors.declared_skill("files.tydi")


def test_skills_are_looked_up_in_one_statement(django_assert_num_queries: Any) -> None:
    joined("a", tidy(), tidy(name="mail.send"))

    with django_assert_num_queries(1):
        found = selectors.declared_skills(["files.tidy", "mail.send", "files.tidy"])

    assert found.keys() == {"files.tidy", "mail.send"}


def test_a_paused_component_is_paused_once_and_resumed() -> None:
    joined("a", tidy())
    component = Component.objects.get(name="files.tidy")

    assert pause_components([component.id], by="person:ann", reason="noisy") == [component]
    assert pause_components([component.id], by="person:ann") == []
    assert [c.name for c in resume_components([component.id], by="person:ann")] == ["files.tidy"]
    assert [type_ for type_, _ in events("component_paused", "component_resumed")] == [
        "component_paused",
        "component_resumed",
    ]


def test_a_sync_leaves_what_an_operator_paused() -> None:
    joined("a", tidy())
    pause_components(Component.objects.values_list("id", flat=True), by="person:ann")

    joined("a", tidy(version="2"))

    assert Component.objects.get(name="files.tidy").paused


def test_the_map_shows_the_last_verified_success() -> None:
    joined("a", tidy(), tidy(name="mail.send"), tidy(kind="detector", name="disk_low"))
    outcome_of("files.tidy", "refuted")
    verified = outcome_of("files.tidy", "verified")
    outcome_of("mail.send", "verified", canary=True)
    outcome_of("disk_low", "verified")

    seen = {row.name: row.last_verified_at for row in selectors.components()}

    assert seen == {"files.tidy": verified.at, "mail.send": None, "disk_low": None}

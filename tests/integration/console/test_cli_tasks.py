"""`submit`, `tasks`, `explain`, `cancel` through the real entry point."""

import pytest
from django.contrib.auth.models import User

from autonomy.domain.states import State
from autonomy.systemmap.models import Component
from autonomy.tasks.models import Task
from console.host.exits import Exit
from ledger.models import Event
from tests.integration.console.conftest import Autonomy, a_task

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _greet(db: None) -> None:
    """A skill on the map."""
    schema = {
        "type": "object",
        "properties": {"name": {"type": "string"}, "times": {"type": "integer", "default": 1}},
        "required": ["name"],
        "additionalProperties": False,
    }
    Component.objects.create(
        kind="skill", name="demo.greet", tier=1, owner="demo", version="ab",
        declaration={
            "arguments": schema, "estimate_seconds": 1.0, "retries": {"max_attempts": 3},
        },
    )  # fmt: skip


def test_submit_stores_the_task_as_the_persons_own(autonomy: Autonomy) -> None:
    ran = autonomy("submit", "demo.greet", "name=Ada", "times=3")

    task = Task.objects.get()
    assert (ran.code, task.args) == (Exit.OK, {"name": "Ada", "times": 3})
    assert (task.origin, task.requested_by) == ("person:operator", "person:operator")
    assert str(task.pk) in ran.out
    assert "autonomy explain" in ran.out


def test_submit_answers_in_json(autonomy: Autonomy) -> None:
    shape = autonomy("submit", "demo.greet", "--args", '{"name": "Ada"}', "--json").shape

    assert shape["created"] is True
    assert shape["task"]["id"] == str(Task.objects.get().pk)
    assert shape["task"]["state"] == "ready"


def test_a_second_submit_of_one_key_returns_the_first(autonomy: Autonomy) -> None:
    first = autonomy("submit", "demo.greet", "name=Ada", "--dedupe-key", "k", "--json").shape
    second = autonomy("submit", "demo.greet", "name=Ada", "--dedupe-key", "k", "--json").shape

    assert second["created"] is False
    assert second["task"]["id"] == first["task"]["id"]


def test_a_task_can_wait_for_another(autonomy: Autonomy) -> None:
    first = a_task()

    shape = autonomy("submit", "demo.greet", "name=Ada", "--after", str(first.pk)[-8:], "--json")

    assert shape.shape["task"]["state"] == "blocked"


def test_an_unknown_skill_is_refused_with_the_nearest(autonomy: Autonomy) -> None:
    ran = autonomy("submit", "demo.gret", "name=Ada")

    assert ran.code == Exit.MISSING
    assert "did you mean demo.greet?" in ran.err
    assert not Task.objects.exists()


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["nonsense"], Exit.USAGE, "KEY=VALUE"),
        (["--args", "{"], Exit.USAGE, "--args"),
        (["name=Ada", "times=many"], Exit.REFUSED, "times"),
        (["nam=Ada"], Exit.REFUSED, "nam"),
    ],
)
def test_a_bad_argument_is_refused_by_name(
    autonomy: Autonomy, words: list[str], code: Exit, told: str
) -> None:
    ran = autonomy("submit", "demo.greet", *words)

    assert ran.code == code
    assert told in ran.err
    assert not Task.objects.exists()


def test_an_error_is_json_where_json_was_asked_for(autonomy: Autonomy) -> None:
    ran = autonomy("submit", "demo.gret", "--json")

    assert ran.shape["exit"] == Exit.MISSING == ran.code
    assert ran.shape["next"] == "`autonomy map` lists the skills"


def test_without_a_token_nothing_is_submitted(
    autonomy: Autonomy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUTONOMY_TOKEN", "not a token")

    ran = autonomy("submit", "demo.greet", "name=Ada")

    assert ran.code == Exit.REFUSED
    assert not Task.objects.exists()


def test_who_may_only_look_cannot_submit(autonomy: Autonomy, operator: User) -> None:
    operator.groups.clear()

    ran = autonomy("submit", "demo.greet", "name=Ada")

    assert ran.code == Exit.REFUSED
    assert "firewall.submit_task" in ran.err


def test_a_mistyped_command_is_answered_with_the_nearest(autonomy: Autonomy) -> None:
    ran = autonomy("submt")

    assert ran.code == Exit.USAGE
    assert "submit" in ran.err


def test_tasks_are_listed_newest_first_and_narrowed(autonomy: Autonomy) -> None:
    old, new = a_task("mail.read", state=State.DONE), a_task("mail.file")

    everything = autonomy("tasks", "--json").shape
    assert [line["id"] for line in everything] == [str(new.pk), str(old.pk)]
    for words in (["--state", "live"], ["--skill", "mail.file"], ["--run", str(new.pk)]):
        assert [line["id"] for line in autonomy("tasks", *words, "--json").shape] == [str(new.pk)]


def test_a_state_that_is_none_is_refused_with_the_list(autonomy: Autonomy) -> None:
    ran = autonomy("tasks", "--state", "runing")

    assert ran.code == Exit.USAGE
    assert "running" in ran.err


def test_an_empty_list_says_what_to_do(autonomy: Autonomy) -> None:
    assert "autonomy submit SKILL" in autonomy("tasks").out


def test_what_a_task_says_cannot_steer_the_terminal(autonomy: Autonomy) -> None:
    a_task("evil\x1b[2J", state=State.FAILED, reason="bad\x1b]0;owned\x07\nline")

    for words in (["tasks"], ["tasks", "--json"], ["ledger", "events"]):
        assert "\x1b" not in autonomy(*words).out


def test_a_task_is_explained_in_words(autonomy: Autonomy, held_task: Task) -> None:
    ran = autonomy("explain", str(held_task.pk)[-8:])

    assert ran.code == Exit.OK
    assert "waits for a person's approval" in ran.out
    assert autonomy("explain", str(held_task.pk), "--json").shape["reason"] == "approval"


def test_an_ambiguous_id_lists_what_it_could_be(autonomy: Autonomy) -> None:
    pairs = [a_task(id=f"01890000-0000-7000-8000-{n:04x}deadbeef") for n in (1, 2)]

    ran = autonomy("explain", "deadbeef")

    assert ran.code == Exit.MISSING
    assert all(str(task.pk) in ran.err for task in pairs)


@pytest.mark.parametrize("given", ["ffffffff", "xyz", "12", "'; drop table"])
def test_an_unknown_id_is_told_with_the_way_to_find_one(autonomy: Autonomy, given: str) -> None:
    ran = autonomy("explain", given)

    assert ran.code == Exit.MISSING
    assert "autonomy tasks" in ran.err or "no id" in ran.err


def test_cancel_ends_a_task_that_waits_and_keeps_the_reason(autonomy: Autonomy) -> None:
    task = a_task()

    ran = autonomy("cancel", str(task.pk)[-8:], "--reason", "wrong branch")

    task.refresh_from_db()
    assert (ran.code, task.state) == (Exit.OK, State.CANCELLED)
    assert "person:operator" in task.reason
    assert "wrong branch" in task.reason
    assert Event.objects.filter(stream_id=str(task.pk)).exists()


def test_cancelling_what_has_ended_is_refused(autonomy: Autonomy, done_task: Task) -> None:
    ran = autonomy("cancel", str(done_task.pk), "--json")

    assert ran.code == Exit.REFUSED
    assert ran.shape["ended"] is False
    assert ran.shape["task"]["state"] == "done"

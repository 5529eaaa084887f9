"""`autonomy output`: what a task prints, while it runs and afterwards."""

import json
import threading
import time
from collections.abc import Callable

import pytest
from django.db import connection

from autonomy.domain.states import State
from autonomy.tasks.models import Session, Task
from autonomy.tasks.services.output import Piece, keep_output
from console.host.exits import Exit
from ledger.domain.ids import new_id
from tests.integration.console.conftest import Autonomy, a_task


def session_of(task: Task, attempt: int = 1, **fields: str) -> Session:
    return Session.objects.create(
        task=task, node="n1", purpose="run", attempt=attempt, epoch=attempt, version="v", **fields
    )


@pytest.mark.django_db
def test_what_a_task_printed_is_shown_as_it_was(autonomy: Autonomy, done_task: Task) -> None:
    shown = autonomy("output", str(done_task.pk))

    assert (shown.code, shown.out) == (0, "<script>alert(1)</script>")


@pytest.mark.django_db
def test_characters_that_nobody_would_see_are_written_out(autonomy: Autonomy) -> None:
    task = a_task(state=State.FAILED)
    session_of(task, ended="failed", output="gnp.\u202eexe\n")

    assert autonomy("output", str(task.pk)).out == "gnp.⟨U+202E⟩exe\n"


@pytest.mark.django_db
def test_the_newest_attempt_is_shown_while_it_runs(autonomy: Autonomy) -> None:
    task = a_task(state=State.RUNNING)
    session_of(task, ended="failed", output="the first")
    second = session_of(task, attempt=2)
    keep_output([Piece(second.pk, 7, "the second")], [])

    shape = autonomy("output", str(task.pk), "--json").shape

    assert shape["text"] == "[… 7 characters not shown …]\nthe second"
    assert (shape["attempt"], shape["skipped"], shape["place"]) == (2, 7, 17)
    assert (shape["ended"], shape["over"]) == ("", False)


@pytest.mark.django_db
def test_a_task_that_has_not_run_says_so(autonomy: Autonomy) -> None:
    said = autonomy("output", str(a_task().pk))

    assert (said.code, said.out) == (0, "")
    assert "it has not run yet" in said.err


@pytest.mark.django_db
def test_an_unknown_task_is_missing(autonomy: Autonomy) -> None:
    assert autonomy("output", str(new_id())).code == Exit.MISSING


@pytest.fixture
def meanwhile(transactional_db: None) -> Callable[[Callable[[], None]], threading.Thread]:
    """Does something beside the test, on a connection of its own."""

    def begin(act: Callable[[], None]) -> threading.Thread:
        def run() -> None:
            try:
                act()
            finally:
                connection.close()

        thread = threading.Thread(target=run)
        thread.start()
        return thread

    return begin


@pytest.mark.django_db(transaction=True)
def test_a_task_is_followed_through_its_attempts_to_its_end(
    autonomy: Autonomy, meanwhile: Callable[[Callable[[], None]], threading.Thread]
) -> None:
    task = a_task(state=State.READY)

    def live() -> None:
        time.sleep(0.3)
        first = session_of(task)
        keep_output([Piece(first.pk, 0, "one ")], [])
        time.sleep(0.7)
        keep_output([Piece(first.pk, 0, "one two ")], [])
        Session.objects.filter(pk=first.pk).update(ended="failed", output="one two three\n")
        time.sleep(0.7)
        session_of(task, attempt=2, ended="ok", output="again\n")
        Task.objects.filter(pk=task.pk).update(state=State.FAILED)

    thread = meanwhile(live)
    shown = autonomy("output", str(task.pk), "--follow", "--json")
    thread.join(30)

    lines = [json.loads(line) for line in shown.out.splitlines()]
    assert "".join(line["text"] for line in lines) == "one two three\nagain\n"
    assert [line["over"] for line in lines] == [*[False] * (len(lines) - 1), True]


@pytest.mark.django_db(transaction=True)
def test_following_ends_when_its_time_is_up(autonomy: Autonomy) -> None:
    task = a_task(state=State.RUNNING)
    session_of(task)

    ended = autonomy("output", str(task.pk), "--follow", "--timeout", "0.2")

    assert ended.code == Exit.TIMEOUT

"""Following from outside: to the end, through a database that goes away, and never for ever."""

import threading
from collections.abc import Callable

import pytest
from django.db import OperationalError, connection

from autonomy.domain.states import State
from autonomy.tasks.models import Task
from console import following
from console.following import Away, TookTooLong, ask, follow
from console.host.exits import Exit
from console.selectors.runs import Run, run_of
from firewall.services import DecisionRefused
from tests.integration.console.conftest import Autonomy, a_task, approval_of


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "POLL_SECONDS", 0.01)


def followed(look: Callable[[], Run], *, seconds: float) -> list[Run | Away]:
    """Everything that was seen until it was over."""
    seen = follow(look, until=lambda run: run.over, seconds=seconds)
    return [*seen]


@pytest.mark.django_db
def test_following_ends_when_what_is_followed_has_ended(done_task: Task) -> None:
    seen = followed(lambda: run_of([done_task.run_id]), seconds=5)

    assert [type(look) for look in seen] == [Run]
    assert seen[0].over  # type: ignore[union-attr]


@pytest.mark.django_db
def test_following_gives_up_in_time() -> None:
    task = a_task()

    with pytest.raises(TookTooLong, match="only the waiting ended"):
        followed(lambda: run_of([task.run_id]), seconds=0.05)


@pytest.mark.django_db(transaction=True)
def test_a_database_that_goes_away_and_comes_back_is_followed_on(done_task: Task) -> None:
    looks = 0

    def look() -> Run:
        nonlocal looks
        looks += 1
        with connection.cursor() as cursor:
            if looks == 1:  # as when the server is restarted under the connection
                cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        return run_of([done_task.run_id])

    seen = followed(look, seconds=5)

    assert [type(each) for each in seen] == [Away, Run]


@pytest.mark.django_db
def test_a_run_is_over_only_when_something_was_asked_and_all_of_it_has_ended() -> None:
    first = a_task(state=State.DONE)
    assert not run_of([]).over
    assert run_of([first.run_id]).over

    a_task(run_id=first.run_id, state=State.RUNNING)

    assert not run_of([first.run_id]).over


@pytest.mark.django_db
def test_a_run_shows_what_it_waits_for_from_a_person(held_task: Task) -> None:
    asked = approval_of(held_task)

    assert [question.id for question in run_of([held_task.run_id]).asked] == [asked.pk]


@pytest.mark.django_db(transaction=True)
def test_submit_and_wait_ends_with_how_it_ended(autonomy: Autonomy, small_map: None) -> None:
    twin = a_task(dedupe_key="k")
    node = threading.Timer(0.3, _fail, [twin])
    node.start()

    ran = autonomy("submit", "repo.lint", "--dedupe-key", "k", "--wait", "--timeout", "20")

    node.join()
    assert ran.code == Exit.NOT_DONE
    assert "failed · no such file" in ran.out


def _fail(task: Task) -> None:
    """What a node does meanwhile."""
    Task.objects.filter(pk=task.pk).update(state=State.FAILED, reason="no such file")
    connection.close()


@pytest.mark.django_db(transaction=True)
def test_a_question_is_asked_again_when_the_database_went_away(done_task: Task) -> None:
    asked = 0

    def question() -> str:
        nonlocal asked
        asked += 1
        with connection.cursor() as cursor:
            if asked == 1:
                cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        return Task.objects.get(pk=done_task.pk).state

    assert ask(question, seconds=5) == State.DONE
    assert asked == 2


def test_a_question_is_not_asked_for_ever() -> None:
    def question() -> None:
        raise OperationalError("the server is starting up")

    with pytest.raises(TookTooLong):
        ask(question, seconds=0.05)


def test_an_answer_that_is_a_refusal_is_not_asked_for_again() -> None:
    asked = 0

    def question() -> None:
        nonlocal asked
        asked += 1
        raise DecisionRefused("already decided")

    with pytest.raises(DecisionRefused):
        ask(question, seconds=5)
    assert asked == 1

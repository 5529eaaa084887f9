"""What a session prints can be read while it runs, without secrets; then it is gone (C-17)."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from autonomy.domain.redaction import HIDDEN, Redactor
from autonomy.domain.states import State
from autonomy.node.services import output
from autonomy.node.services.clean import clean
from autonomy.node.services.output import ROW, WINDOW, LiveOutput
from autonomy.sessions.orders import End, Order, Purpose, Report
from autonomy.tasks.models import OutputChunk, Session
from autonomy.tasks.services.output import Piece, keep_output, sweep_output
from ledger.domain.ids import new_id
from ledger.models import Body, Event, Outcome
from tests.support.platform import PATIENCE, Platform, platform
from tests.support.tasks import claimed, declare_skills, dispatched, join, submit

KNOWN = "the-platform-knows-this-one"
GIVEN = "hunter2-of-the-caller"

SKILLS = f'''
import sys
sys.stdout.reconfigure(line_buffering=True)

def wait(go):
    while not Path(go).exists():
        time.sleep(0.02)

@skill(tier=1, name="talk", timeout="60s")
def talk(ctx: Context, go: str, lines: int = 1, password: str = "") -> None:
    """Print, and go on when told."""
    for number in range(lines):
        print(f"line {{number}} " + "x" * 100)
    print("half of {KNOWN[:10]}", end="", flush=True)
    wait(go + ".half")
    print("{KNOWN[10:]} and " + password)
    wait(go)
    print("the end")

@skill(tier=1, name="fail", retries=0)
def fail(ctx: Context, password: str) -> None:
    """Raise, with secrets in the words."""
    ctx.say("I know " + password + " and {KNOWN}")
    ctx.effect("send", lambda: dict(seen="{KNOWN}", password="theirs"))
    raise ValueError("bad password " + password + " and {KNOWN}")

@skill(tier=1, name="tell")
def tell(ctx: Context) -> dict:
    """Answer with what only looks like a secret, and with one."""
    return dict(password="theirs", note="{KNOWN}")

@tell.verify
def _(ctx, args, result):
    return Evidence.of(check("{KNOWN}", expected="api_key=abcdefgh", seen="api_key=abcdefgh"))
'''


@pytest.fixture
def at_work(open_folder: Path) -> Iterator[Platform]:
    with platform(open_folder, SKILLS, known=lambda: Redactor([KNOWN])) as running:
        yield running


def shown(session_id: UUID | None) -> str:
    assert session_id
    rows = OutputChunk.objects.filter(session_id=session_id).order_by("start")
    return "".join(rows.values_list("text", flat=True))


def eventually(holds: Callable[[], Any]) -> Any:
    give_up = time.monotonic() + PATIENCE
    while not (found := holds()):
        assert time.monotonic() < give_up
        time.sleep(0.02)
    return found


@pytest.mark.django_db(transaction=True)
def test_a_session_is_read_while_it_runs_and_its_rows_go_after_its_end(
    at_work: Platform, open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(output, "LINGERS", 0.5)
    go = open_folder / "go"
    task_id = at_work.submit("talk", go=str(go), password=GIVEN)
    task = at_work.reached(task_id, State.RUNNING)

    eventually(lambda: "line 0" in shown(task.session_id))
    assert shown(task.session_id).endswith("half of ")
    go.with_suffix(".half").touch(mode=0o644)
    eventually(lambda: f"{HIDDEN} and {HIDDEN}\n" in shown(task.session_id))
    go.touch(mode=0o644)
    eventually(lambda: "the end" in shown(task.session_id) or at_work.task(task_id).ended_at)
    at_work.ended(task_id)

    eventually(lambda: not OutputChunk.objects.exists())
    kept = Session.objects.get(task_id=task_id).output
    assert kept.endswith(f"half of {HIDDEN} and {HIDDEN}\nthe end\n")


@pytest.mark.django_db(transaction=True)
def test_a_chatty_session_cannot_fill_the_table(at_work: Platform, open_folder: Path) -> None:
    go = open_folder / "go"
    task_id = at_work.submit("talk", go=str(go), lines=5_000)
    task = at_work.reached(task_id, State.RUNNING)

    eventually(lambda: "half of" in shown(task.session_id))

    rows = list(OutputChunk.objects.order_by("start"))
    assert len(rows) <= WINDOW // ROW + 1
    assert rows[0].start > 400_000
    assert "line 4999 " in rows[-1].text + rows[-2].text
    for name in (".half", ""):
        Path(f"{go}{name}").touch(mode=0o644)
    at_work.ended(task_id)


@pytest.mark.django_db(transaction=True)
def test_what_a_session_says_does_and_raises_is_kept_without_secrets(at_work: Platform) -> None:
    task = at_work.ended(at_work.submit("fail", password=GIVEN))

    session = Session.objects.get(task=task)
    events = [str(event.payload) for event in Event.objects.all()]
    events += Body.objects.values_list("text", flat=True)
    everything = [task.reason, session.error, Outcome.objects.get(task_id=task.id).reason, *events]
    assert f"bad password {HIDDEN} and {HIDDEN}" in session.error
    assert any(f"I know {HIDDEN} and {HIDDEN}" in text for text in everything)
    assert [text for text in everything if KNOWN in text or GIVEN in text] == []
    assert task.effects.get().result == {"seen": HIDDEN, "password": "theirs"}


@pytest.mark.django_db(transaction=True)
def test_results_are_data_and_evidence_is_words(at_work: Platform) -> None:
    task = at_work.ended(at_work.submit("tell"))

    assert (task.state, task.result) == (State.DONE, {"password": "theirs", "note": HIDDEN})
    evidence = Outcome.objects.get(task_id=task.id).evidence
    assert evidence["checks"][0]["looked_at"] == HIDDEN
    assert evidence["checks"][0]["seen"] == f"api_key={HIDDEN}"


def _order(purpose: Purpose) -> Order:
    return Order(
        session_id=new_id(),
        task_id=new_id(),
        purpose=purpose,
        component="x",
        folder=Path("/w"),
        artifacts=Path("/a"),
    )


def _nested(value: Any, levels: int) -> Any:
    for _ in range(levels):
        value = [value]
    return value


NODE: Any = SimpleNamespace(known=lambda: Redactor([KNOWN]))


@pytest.mark.parametrize("purpose", [Purpose.PREFLIGHT, Purpose.VERIFY, Purpose.RUN])
@pytest.mark.parametrize("result", [None, {"x": 1}, [KNOWN], "plan", _nested(KNOWN, 400)])
def test_whatever_a_session_answers_can_be_cleaned(purpose: Purpose, result: Any) -> None:
    cleaned = clean(Report(ended=End.OK, result=result), _order(purpose), NODE)

    assert cleaned.ended == End.OK
    assert KNOWN not in repr(cleaned.result)


def test_results_without_secrets_stay_as_they_are_however_deep(db: None) -> None:
    deep = {"a": _nested("harmless", 300), "b": [1.5, None, True]}

    assert clean(Report(ended=End.OK, result=deep), _order(Purpose.RUN), NODE).result == deep


def test_what_cannot_be_cleaned_is_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RecursionError

    monkeypatch.setattr(Redactor, "known", broken)

    cleaned = clean(Report(ended=End.OK, result=KNOWN, output=KNOWN), _order(Purpose.RUN), NODE)

    assert (cleaned.ended, cleaned.result, cleaned.output) == (End.FAILED, None, "")


# -- the statement


@pytest.fixture
def session(db: None) -> Session:
    declare_skills(one=1)
    return Session.objects.get(id=claimed(dispatched(submit()), join()).session_id)


def test_a_row_that_grew_is_written_again(session: Session) -> None:
    keep_output([Piece(session.id, 0, "a")], [])
    keep_output([Piece(session.id, 0, "ab"), Piece(session.id, 2, "c\0d")], [])

    assert shown(session.id) == "abc\N{REPLACEMENT CHARACTER}d"


def test_what_left_the_window_is_gone(session: Session) -> None:
    keep_output([Piece(session.id, 0, "a"), Piece(session.id, 1, "b")], [])
    keep_output([Piece(session.id, 2, "c")], [(session.id, 1)])

    assert shown(session.id) == "bc"


def test_a_session_that_is_over_adds_nothing(session: Session) -> None:
    Session.objects.filter(id=session.id).update(ended="lost")

    keep_output([Piece(session.id, 0, "late"), Piece(new_id(), 0, "nobody's")], [])

    assert not OutputChunk.objects.exists()


def test_what_a_node_left_behind_is_swept(session: Session) -> None:
    stranger = OutputChunk.objects.create(session_id=new_id(), start=0, text="x")
    keep_output([Piece(session.id, 0, "of one that runs")], [])
    with connection.cursor() as cursor:
        cursor.execute("UPDATE tasks_outputchunk SET at = now() - interval '2 minutes'")

    assert sweep_output() == 1
    assert not OutputChunk.objects.filter(id=stranger.id).exists()
    Session.objects.update(ended="ok", ended_at="2020-01-01T00:00Z")
    assert sweep_output() == 1


def test_all_sessions_of_a_node_are_written_in_one_statement_and_short_ones_in_none(
    session: Session,
) -> None:
    live = LiveOutput(_place(sessions := [session.id, new_id(), new_id()]))
    clock = live.place.clock = _Clock()
    for session_id in sessions:
        live.heard(session_id, "text\n")

    with CaptureQueriesContext(connection) as early:
        live.write()
    clock.now += 0.2
    live.ended(sessions[1])
    with CaptureQueriesContext(connection) as due:
        live.write()
        live.write()

    assert (len(early), len(due)) == (0, 1)
    assert shown(session.id) == "text\n"


class _Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def _place(sessions: list[UUID]) -> Any:
    """As much of a workplace as output needs."""
    order = SimpleNamespace(args={})
    held = {s: SimpleNamespace(session_end=None, order=order) for s in sessions}
    node = SimpleNamespace(known=Redactor)
    return SimpleNamespace(held=held, node=node, clock=None)

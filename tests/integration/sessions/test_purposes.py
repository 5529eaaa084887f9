"""What sessions do for each purpose, and how their answers come back."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from autonomy.domain.states import ErrorClass
from autonomy.sessions.orders import End, Purpose
from tests.integration.sessions.bench import Bench
from tests.integration.sessions.conftest import linux_only

pytestmark = linux_only
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def fresh(bench: Bench) -> None:
    """A supervisor that knows of nothing."""
    bench.effects.clear()
    bench.said.clear()
    bench.refusing = ""


def test_a_run_answers_with_the_declared_result(bench: Bench) -> None:
    report = bench.run("calm.add", args={"left": 1, "right": 2})

    assert (report.ended, report.result) == (End.OK, {"total": 3})
    assert report.cpu_seconds > 0
    assert report.peak_memory_bytes > 1_000_000


def test_arguments_that_do_not_fit_are_a_permanent_failure(bench: Bench) -> None:
    report = bench.run("calm.add", args={"left": "many"})

    assert (report.ended, report.error_class) == (End.FAILED, ErrorClass.PERMANENT)
    assert "left" in report.error


@pytest.mark.parametrize(
    ("kind", "error_class"),
    [
        ("permanent", ErrorClass.PERMANENT),
        ("transient", ErrorClass.TRANSIENT),
        ("bug", ErrorClass.TRANSIENT),
    ],
)
def test_a_skill_says_how_its_failure_is_to_be_treated(
    bench: Bench, kind: str, error_class: ErrorClass
) -> None:
    report = bench.run("calm.sell", args={"kind": kind})

    assert (report.ended, report.error_class) == (End.FAILED, error_class)
    assert "sold out" in report.error


def test_a_bug_comes_with_its_place(bench: Bench) -> None:
    assert "calm.py" in bench.run("calm.sell", args={"kind": "bug"}).error


def test_output_is_streamed_kept_and_harmless(bench: Bench) -> None:
    order = bench.order("calm.talk")

    report = bench.reports(order)[0]

    assert report.output == r"\x1b[31mred\x1b[0m and \u202e reversed" + "\n"
    assert bench.printed[order.session_id] == report.output
    assert bench.said == ["half way"]
    assert (order.artifacts / "kept.txt").read_text() == "kept"


def test_an_effect_is_begun_done_and_then_only_remembered(bench: Bench) -> None:
    assert bench.run("calm.charge").result == 7
    bench.effects["charge"]["result"] = 8

    assert bench.run("calm.charge").result == 8


def test_an_effect_of_unknown_fate_is_ambiguous_where_nobody_can_tell(bench: Bench) -> None:
    bench.effects["charge"] = {"state": "begun", "result": None}

    report = bench.run("calm.charge")

    assert (report.ended, report.ambiguous) == (End.FAILED, True)
    assert bench.effects["charge"]["state"] == "begun"


@pytest.mark.parametrize(("happened", "result"), [(True, 5), (False, 7)])
def test_an_effect_of_unknown_fate_is_settled_by_the_skill(
    bench: Bench, happened: bool, result: int
) -> None:
    bench.effects["pay"] = {"state": "begun", "result": None}

    assert bench.run("calm.settle", args={"happened": happened}).result == result
    assert bench.effects["pay"] == {"state": "done", "result": result}


def test_a_session_whose_lease_is_gone_stops_at_its_next_call(bench: Bench) -> None:
    bench.refusing = "stale"

    report = bench.run("calm.charge")

    assert (report.ended, report.error_class) == (End.LOST, ErrorClass.LOST)


def test_submissions_name_each_other_by_key(bench: Bench) -> None:
    report = bench.run("calm.plan_ahead")

    asked = bench.effects["submitted"]["result"]
    assert [item["depends_on"] for item in asked] == [[], ["fetch"]]
    assert asked[1]["args"] == {"commit": {"$ref": "fetch", "path": "commit"}}
    assert set(report.result) == {"fetch", "build"}


def test_upstream_tasks_and_their_files_can_be_read(bench: Bench) -> None:
    kept = bench.order("calm.talk")
    bench.reports(kept)
    upstream = {
        "task_id": str(uuid4()),
        "key": "talk",
        "skill": "calm.talk",
        "state": "done",
        "verdict": "verified",
        "reason": "",
        "node": "n1",
        "seconds": 1.0,
        "result": "talked",
        "attempts": 1,
        "artifacts": {"kept.txt": str(kept.artifacts / "kept.txt")},
    }

    assert bench.run("calm.inherit", upstream=(upstream,)).result == ["talked", "kept"]


def test_a_preflight_plans_and_changes_nothing(bench: Bench) -> None:
    bench.home.joinpath("box").mkdir(mode=0o777, exist_ok=True)
    box = bench.home / "box"
    box.chmod(0o777)

    report = bench.run(
        "calm.write",
        Purpose.PREFLIGHT,
        args={"path": str(box), "name": "early"},
        scope={"write": (str(box),)},
    )

    assert report.ended is End.FAILED
    assert "Permission" in report.error or "Read-only" in report.error
    assert list(box.iterdir()) == []


def test_without_a_preflight_tier_three_goes_on_and_tier_two_does_not(bench: Bench) -> None:
    three = bench.run("calm.send", Purpose.PREFLIGHT, args={"to": "you"}).result
    two = bench.run("calm.unchecked", Purpose.PREFLIGHT).result

    assert three["plan"] == {"go": True, "summary": 'calm.send(to="you")', "diff": ""}
    assert three["reads"] == {"address book": "abc"}
    assert two["plan"]["go"] is False


def test_reads_can_be_asked_for_alone(bench: Bench) -> None:
    report = bench.run("calm.send", Purpose.READS, args={"to": "you"})

    assert report.result == {"reads": {"address book": "abc"}}


def test_a_verifier_answers_with_evidence(bench: Bench) -> None:
    honest, dishonest = (
        bench.run(
            "calm.add",
            Purpose.VERIFY,
            args={"left": 1, "right": 1},
            result={"total": total},
            started_at=NOON,
        )
        for total in (2, 3)
    )

    assert honest.result["verdict"] == "verified"
    assert dishonest.result["verdict"] == "refuted"
    assert dishonest.result["checks"][0]["seen"] == "3"


def test_a_verifier_sees_the_folder_and_cannot_touch_it(bench: Bench) -> None:
    report = bench.run(
        "calm.write", Purpose.VERIFY, args={"path": "/", "name": "x"}, result="x", started_at=NOON
    )

    assert report.ended is End.FAILED
    assert "planted" in report.error


def test_a_skill_without_a_verifier_is_unverified(bench: Bench) -> None:
    assert bench.run("calm.wait", Purpose.VERIFY, started_at=NOON).result["verdict"] == "unverified"


def test_a_reconciling_look_answers_whether_it_happened(bench: Bench) -> None:
    report = bench.run("calm.settle", Purpose.RECONCILE, args={"happened": True}, step="pay")

    assert report.result == {"happened": True, "result": 5}


@pytest.mark.parametrize(
    ("component", "more", "why"),
    [
        ("calm.nothing", {}, "not loaded"),
        ("calm.add", {"version": "older"}, "version older"),
    ],
)
def test_what_is_not_loaded_is_refused_for_another_node_to_do(
    bench: Bench, component: str, more: dict[str, Any], why: str
) -> None:
    report = bench.run(component, **more)

    assert (report.ended, report.error_class) == (End.REFUSED, ErrorClass.TRANSIENT)
    assert why in report.error

"""What the author of a detector writes, and what the platform makes of it."""

import socket
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from autonomy.sdk.errors import SkillDeclarationError
from autonomy.sdk.registry import Registry
from heartbeats.sdk import MOST_FINDINGS, Detector, Finding, Unreachable, View, detector

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _empty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("autonomy.sdk.registry._current", Registry())


def found(declared: Detector, **params: Any) -> list[dict[str, Any]]:
    return declared.findings(now=NOON, due_at=NOON, params=params, query=lambda *_: [{"n": 91}])


def full(path: str, **changed: Any) -> Finding:
    return Finding(
        skill="files.clean_up", args={"path": path}, dedupe_key=path, reason="91 %", **changed
    )


def raising(error: Exception, *, network: bool) -> Detector:
    @detector(every="1m", kind="external", network=network)
    def looks(view: View) -> Iterable[Finding]:
        raise error

    return looks


def test_a_detector_is_declared_with_the_schema_of_its_parameters() -> None:
    @detector(every="5m", kind="threshold", owner="ann")
    def disk_low(
        view: View, bound: float = 90, paths: list[str] | None = None
    ) -> Iterable[Finding]:
        """Says when a disk is nearly full.

        And more.
        """
        return []

    assert disk_low.description == "Says when a disk is nearly full."
    declared = disk_low.declaration()
    assert (declared["every_seconds"], declared["network"]) == (300.0, False)
    assert declared["params"]["properties"].keys() == {"bound", "paths"}
    assert declared["params"]["additionalProperties"] is False


def test_a_parameter_without_a_type_is_refused_at_once() -> None:
    with pytest.raises(SkillDeclarationError, match=r"'bound'.*has no type"):

        @detector(every="5m", kind="threshold")
        def disk_low(view: View, bound=90) -> Iterable[Finding]:  # type: ignore[no-untyped-def]
            return []


def test_what_it_finds_is_json_and_sees_its_parameters_with_their_defaults() -> None:
    @detector(every="5m", kind="threshold")
    def disk_low(view: View, path: str, bound: float = 90) -> Iterable[Finding]:
        [row] = view.query("SELECT 1")
        if row["n"] > bound and view.params == {"path": path, "bound": bound}:
            yield full(path, once=True)

    assert found(disk_low, path="/data") == [full("/data", once=True).model_dump(mode="json")]
    assert found(disk_low, path="/data", bound=95) == []


def test_parameters_that_do_not_fit_any_more_are_an_error() -> None:
    @detector(every="5m", kind="threshold")
    def disk_low(view: View, bound: float = 90) -> Iterable[Finding]:
        return []

    with pytest.raises(ValidationError, match="limit"):
        found(disk_low, limit=80)


def test_one_finding_too_many_is_kept_so_that_the_flood_can_be_told() -> None:
    @detector(every="5m", kind="pattern")
    def flood(view: View) -> Iterable[Finding]:
        while True:
            yield full("/")

    assert len(found(flood)) == MOST_FINDINGS + 1


def test_what_is_no_finding_is_an_error() -> None:
    @detector(every="5m", kind="pattern")
    def careless(view: View) -> Iterable[Finding]:
        return ["disk full"]  # type: ignore[list-item]

    with pytest.raises(ValidationError):
        found(careless)


@pytest.mark.parametrize(
    "error",
    [
        ConnectionRefusedError(111, "Connection refused"),
        TimeoutError("timed out"),
        socket.gaierror(-2, "Name or service not known"),
    ],
)
def test_what_does_not_answer_over_a_declared_network_is_unreachable(error: OSError) -> None:
    with pytest.raises(Unreachable, match=r"^unreachable: "):
        found(raising(error, network=True))
    with pytest.raises(type(error)):
        found(raising(error, network=False))


@pytest.mark.parametrize(
    "error",
    [FileNotFoundError(2, "No such file", "/x"), PermissionError(13, "denied"), ValueError("bad")],
)
def test_other_errors_are_the_detectors_own(error: Exception) -> None:
    with pytest.raises(type(error)):
        found(raising(error, network=True))

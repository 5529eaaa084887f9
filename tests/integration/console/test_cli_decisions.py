"""`weights` and `replay` (D-8, D-22)."""

import json
from pathlib import Path

import pytest

from autonomy.engine.models import Pass, Weights
from autonomy.engine.services.dispatch import dispatch
from console.host.exits import Exit
from tests.integration.console.conftest import Autonomy
from tests.support.tasks import declare_skills, join, submit

pytestmark = pytest.mark.django_db


@pytest.fixture
def made(db: None) -> Pass:
    """A stored pass with two dispatches."""
    join()
    declare_skills(one=1)
    submit()
    submit()
    dispatch({})
    return Pass.objects.get()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "weights.json"


def test_weights_are_shown_set_and_shown_again(autonomy: Autonomy, file: Path) -> None:
    assert "as shipped" in autonomy("weights").out
    file.write_text(json.dumps({"waiting": 0.75}))

    ran = autonomy("weights", "set", str(file), "--reason", "shorter waits", "--json")

    assert ran.shape["values"]["waiting"] == 0.75
    assert autonomy("weights", "--json").shape["version"] == ran.shape["version"]
    assert Weights.objects.get().set_by == "person:operator"


@pytest.mark.parametrize(
    ("text", "code"),
    [('{"wating": 1}', Exit.REFUSED), ('{"short": 1e9}', Exit.REFUSED), ("nonsense", Exit.USAGE)],
)
def test_weights_that_make_no_sense_are_refused(
    autonomy: Autonomy, file: Path, text: str, code: Exit
) -> None:
    file.write_text(text)

    assert autonomy("weights", "set", str(file), "--reason", "why not").code == code
    assert not Weights.objects.exists()


def test_a_file_that_is_not_there_is_named(autonomy: Autonomy, file: Path) -> None:
    ran = autonomy("weights", "set", str(file), "--reason", "why not")

    assert ran.code == Exit.USAGE
    assert str(file) in ran.err


def test_refused_weights_are_shown(autonomy: Autonomy) -> None:
    row = Weights.objects.create(values={}, set_by="person:ben")

    assert f"version {row.version} is not used" in autonomy("weights").err


def test_replay_says_that_all_is_the_same(autonomy: Autonomy, made: Pass) -> None:
    assert "1 passes with 2 dispatches come out the same" in autonomy("replay").out
    shape = autonomy("replay", "--since", "1h", "--json").shape
    assert (shape["ok"], shape["passes"], shape["different"]) == (True, 1, [])


def test_replay_names_a_pass_that_was_altered(autonomy: Autonomy, made: Pass) -> None:
    Pass.objects.update(owed={"somebody": 3})

    ran = autonomy("replay")

    assert ran.code == Exit.UNSOUND
    assert str(made.pk) in ran.err


def test_replay_with_other_weights_tells_what_they_would_have_chosen(
    autonomy: Autonomy, made: Pass, file: Path
) -> None:
    file.write_text('{"short": 0}')

    ran = autonomy("replay", "--weights", str(file))

    assert ran.code == Exit.OK
    assert "the same node      2 (90.0 % likely to succeed; none has ended there yet)" in ran.out
    assert not Weights.objects.exists()


def test_replay_does_not_take_weights_that_make_no_sense(
    autonomy: Autonomy, made: Pass, file: Path
) -> None:
    file.write_text('{"short": -1}')

    assert autonomy("replay", "--weights", str(file)).code == Exit.REFUSED

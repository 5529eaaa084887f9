"""A path of a scope with an argument in it leads to no other place (F-10)."""

from typing import Any

import pytest

from autonomy.sdk import Scope
from autonomy.sdk.scope import BadScope

INBOX = Scope(read=("/srv/inbox/{name}",), write=("{folder}", "{folder}/out"))


def resolved(**args: Any) -> Scope:
    return INBOX.resolved({"name": "a.pdf", "folder": "/home/x", **args})


def test_arguments_are_put_in() -> None:
    scope = resolved(name="2026/a.pdf")

    assert scope.read == ("/srv/inbox/2026/a.pdf",)
    assert scope.write == ("/home/x", "/home/x/out")


def test_a_path_that_goes_on_from_an_argument_or_begins_before_it_is_bound_to_that_folder() -> None:
    assert resolved().within == (
        ("/srv/inbox/a.pdf", "/srv/inbox"),
        ("/home/x/out", "/home/x"),
    )


@pytest.mark.parametrize(
    "name",
    ["..", "../etc", "a/../../etc", "a/..", ".", "./a", "/etc/passwd", "", "a\0b", None, ["a"], {}],
    ids=repr,
)
def test_a_part_of_a_path_cannot_lead_out_of_it(name: object) -> None:
    with pytest.raises(BadScope, match="name="):
        resolved(name=name)


@pytest.mark.parametrize("folder", ["home/x", "", "~/x", "../x", "/home/../etc", None])
def test_a_whole_path_is_absolute_and_leads_straight_there(folder: object) -> None:
    with pytest.raises(BadScope, match="folder="):
        resolved(folder=folder)


def test_numbers_may_name_folders() -> None:
    assert resolved(name=2026).read == ("/srv/inbox/2026",)


def test_braces_in_a_value_are_only_text() -> None:
    assert resolved(name="{folder}").read == ("/srv/inbox/{folder}",)


def test_a_scope_without_its_argument_is_refused() -> None:
    with pytest.raises(BadScope, match="there is no argument 'name'"):
        INBOX.resolved({"folder": "/home/x"})


def test_nothing_of_a_value_can_be_looked_into() -> None:
    with pytest.raises(BadScope, match="no argument"):
        Scope(read=("/srv/{name.__class__}",)).resolved({"name": "a"})


def test_what_a_scope_says_besides_its_paths_stays() -> None:
    scope = Scope(network=True, hosts=("example.com",)).resolved({})

    assert (scope.network, scope.hosts) == (True, ("example.com",))


def test_a_resolved_scope_is_the_same_after_it_was_sent() -> None:
    assert Scope(**resolved().model_dump(mode="json")) == resolved()

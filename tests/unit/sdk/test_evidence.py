"""What several checks say together: yes, no, or neither."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autonomy.sdk import Check, Evidence, Verdict, all_of, any_of, eventually
from autonomy.sdk.evidence import MOST_TOLD, Part, check, undecided
from autonomy.sdk.looking import Look, looking

YES, NO, OPEN = Verdict.VERIFIED, Verdict.REFUTED, Verdict.INCONCLUSIVE
THREE = (YES, NO, OPEN)


def part(verdict: Verdict) -> Check:
    """A check with this verdict."""
    return Check(looked_at="x", expected="x", seen="x", verdict=verdict)


parts = st.sampled_from(THREE).map(part)
some = st.lists(parts, min_size=1, max_size=5)


@pytest.mark.parametrize(
    ("left", "right", "both", "either"),
    [
        (YES, YES, YES, YES), (YES, OPEN, OPEN, YES), (YES, NO, NO, YES),
        (OPEN, OPEN, OPEN, OPEN), (OPEN, NO, NO, OPEN), (NO, NO, NO, NO),
    ],
)  # fmt: skip
def test_the_table_of_two_parts(
    left: Verdict, right: Verdict, both: Verdict, either: Verdict
) -> None:
    for one, other in ((left, right), (right, left)):
        assert all_of(part(one), part(other)).verdict is both
        assert any_of(part(one), part(other)).verdict is either


def test_nothing_is_no_evidence() -> None:
    assert all_of().verdict is OPEN
    assert any_of().verdict is OPEN
    assert Evidence.of().verdict is OPEN
    assert all_of(part(Verdict.UNVERIFIED)).verdict is OPEN


@given(some, some)
def test_how_parts_are_grouped_does_not_matter(left: list[Check], right: list[Check]) -> None:
    for together in (all_of, any_of):
        flat = together(*left, *right)
        assert together(together(*left), together(*right)).verdict is flat.verdict
        assert together(*right, *left).verdict is flat.verdict
        assert flat.checks == (*left, *right)


@given(some)
def test_one_is_the_mirror_of_the_other(given_parts: list[Check]) -> None:
    opposite = {YES: NO, NO: YES, OPEN: OPEN}
    mirrored = [part(opposite[one.verdict]) for one in given_parts]

    assert any_of(*mirrored).verdict is opposite[all_of(*given_parts).verdict]


@given(some, parts)
def test_another_part_never_makes_all_of_them_better_nor_any_of_them_worse(
    given_parts: list[Check], more: Check
) -> None:
    rank = {NO: 0, OPEN: 1, YES: 2}

    assert rank[all_of(*given_parts, more).verdict] <= rank[all_of(*given_parts).verdict]
    assert rank[any_of(*given_parts, more).verdict] >= rank[any_of(*given_parts).verdict]


@given(some)
def test_learning_more_never_turns_a_yes_into_a_no(given_parts: list[Check]) -> None:
    for together in (all_of, any_of):
        before = together(*given_parts).verdict
        for learned in (YES, NO):
            known = [part(learned) if p.verdict is OPEN else p for p in given_parts]
            assert before in (OPEN, together(*known).verdict)


@given(st.sampled_from(THREE), st.floats(0, 100), st.floats(0.5, 100))
def test_what_may_still_become_so_is_open_until_its_time_is_over(
    verdict: Verdict, waited: float, within: float
) -> None:
    with looking(Look(waited_seconds=waited)):
        seen = eventually(part(verdict), within=within)

    if verdict is NO and waited < within:
        assert (seen.verdict, seen.open_for) == (OPEN, within - waited)
    else:
        assert (seen.verdict, seen.open_for) == (verdict, None)


def test_the_next_look_is_when_the_first_time_is_over() -> None:
    late = [eventually(part(NO), within=within) for within in ("1h", "90s")]

    assert all_of(*late, part(YES)).open_for == 90
    assert any_of(*late).open_for == 90
    assert all_of(*late, part(NO)).open_for is None
    assert any_of(*late, part(YES)).open_for is None


@pytest.mark.parametrize("together", [all_of, any_of])
def test_the_quality_of_the_whole_is_that_of_its_weakest_part(together: object) -> None:
    good: list[Part] = [Evidence.of(part(YES), quality=q) for q in (0.9, 0.4)]

    assert callable(together)
    assert together(*good, part(YES)).quality == 0.4
    assert together(part(YES)).quality is None


def test_a_check_keeps_a_long_story_short() -> None:
    told = check("x" * 3_000, expected="y", seen=["z"] * 5_000)

    assert told.verdict is NO
    assert len(told.seen) < MOST_TOLD + 50
    assert told.seen.endswith("characters)")
    assert undecided("x", expected=1, why="").seen == "nothing"

"""The exit codes and their page."""

from console.host.exits import MEANINGS, Exit
from console.host.home import CHECKOUT


def test_the_page_lists_every_exit_code_with_its_meaning() -> None:
    page = (CHECKOUT / "docs" / "exit-codes.md").read_text().splitlines()

    rows = [line for line in page if line.startswith("| ") and not line.startswith("| Code")]

    assert rows == [
        f"| {exit_.value} | {exit_.name.lower()} | {MEANINGS[exit_]} |" for exit_ in Exit
    ]

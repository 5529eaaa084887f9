"""Text from the outside, with nothing hidden in it."""

from ledger.domain.visible import revealed as visible

__all__ = ["one_line", "visible"]


def one_line(text: str, limit: int = 200) -> str:
    """The text on one line, cut with an ellipsis."""
    line = visible(" ".join(text.split()))
    return line if len(line) <= limit else line[: limit - 1] + "…"

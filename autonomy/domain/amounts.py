"""Durations, sizes and sums as people write them: `2m`, `1.5h`, `512MB`, `0.25`."""

import math
import re
from decimal import Decimal, InvalidOperation

_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_BYTES = {
    "B": 1,
    "kB": 10**3,
    "KB": 10**3,
    "MB": 10**6,
    "GB": 10**9,
    "KiB": 2**10,
    "MiB": 2**20,
    "GiB": 2**30,
}
_AMOUNT = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([A-Za-z]+)\s*", re.ASCII)


MICRODOLLAR = Decimal("0.000001")
MOST_DOLLARS = Decimal(10_000_000)


class BadAmount(ValueError):
    """A duration, size or sum that cannot be read."""


def seconds(text: str | float) -> float:
    """`"2m"` → 120.0; a number is taken as seconds."""
    return _amount(text, _SECONDS, "a duration such as 30s, 5m or 2h")


def size(text: str | int) -> int:
    """`"512MB"` → 512000000; a number is taken as bytes."""
    return int(_amount(text, _BYTES, "a size such as 64MB or 1GiB"))


def dollars(amount: str | int | Decimal) -> Decimal:
    """`"0.25"` → Decimal("0.250000"): whole microdollars, never rounded, never negative."""
    if isinstance(amount, bool | float):  # 0.1 is not a tenth
        raise BadAmount(f"{amount!r} is not a sum: write it as text, such as '0.25'")
    try:
        exact = Decimal(amount)
        if exact.is_finite() and 0 <= exact <= MOST_DOLLARS:
            whole = exact.quantize(MICRODOLLAR)
            if whole == exact:
                return abs(whole)  # there is a negative zero
    except InvalidOperation:
        pass  # told below: it is no number
    raise BadAmount(f"{amount!r} is not a sum in dollars of at most six decimals, such as 0.25")


def _amount(text: str | float, units: dict[str, float] | dict[str, int], form: str) -> float:
    if isinstance(text, int | float):
        number = float(text)
    else:
        found = _AMOUNT.fullmatch(text)
        if not found or found[2] not in units:
            raise BadAmount(f"{text!r} is not {form}")
        number = float(found[1]) * units[found[2]]
    if not math.isfinite(number) or number < 0:
        raise BadAmount(f"{text!r} is not {form}")
    return number

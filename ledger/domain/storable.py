"""What PostgreSQL can store of text that came from anywhere."""

import json
import re
from typing import Any

_ESCAPED_NUL = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")


def text(value: str) -> str:
    """The text without what no column takes: NUL and lone surrogates are replaced, visibly."""
    return value.encode(errors="replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")


def json_text(value: Any) -> str:
    """The value as JSON that `jsonb` takes; raises ValueError for NaN and infinities."""
    written = json.dumps(value, ensure_ascii=False, allow_nan=False, default=str)
    if "\\u0000" in written:
        written = _ESCAPED_NUL.sub(r"\1\\ufffd", written)
    return text(written)

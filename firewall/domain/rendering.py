"""What a person is shown of an action: all of it, as it is stored (F-7)."""

import json


def laid_out(action: str) -> str:
    """A stored action with a line for each value; nothing is left out or reordered."""
    return json.dumps(json.loads(action), indent=2, ensure_ascii=False)

"""What tests that run side by side must not share."""

import os
import re


def worker() -> int:
    """The number of this process among those that run tests; 0 where there is one."""
    found = re.search(r"\d+", os.environ.get("PYTEST_XDIST_WORKER", ""))
    return int(found.group()) if found else 0

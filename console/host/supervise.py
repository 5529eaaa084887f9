"""The supervisor as a process of its own: python -m console.host.supervise HOME DESCRIPTOR."""

import json
import os
import sys
from pathlib import Path

from console.host.errors import HostError
from console.host.home import Home
from console.host.state import State
from console.host.supervisor import Supervisor


def main() -> None:
    """Run the platform; tell whoever started it, once, how the start went."""
    home, report = Home(Path(sys.argv[1])), int(sys.argv[2])

    def tell(shape: dict[str, str]) -> None:
        os.write(report, json.dumps(shape).encode() + b"\n")
        os.close(report)

    def announce(_: State) -> None:
        tell({"state": "running"})

    try:
        Supervisor(home, dict(os.environ)).run(announce)
    except HostError as error:
        tell(error.as_json())
        sys.exit(error.exit)


if __name__ == "__main__":
    main()

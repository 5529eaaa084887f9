"""Running the tests of a checkout with pytest: foreign code, so the session around it is a cage."""

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autonomy.sdk import Permanent
from steward.declared import TestPlan
from steward.environment import site_packages
from steward.git import shown

REPORT = "junit.xml"
_SAID = 1500
_ENDED_WITH_A_REPORT = (0, 1, 2, 5)  # passed, failed, interrupted by errors, none found


@dataclass(frozen=True)
class Cage:
    """Where the tests of a commit are run."""

    commit: str
    tree: Path
    folder: Path
    """Private: their home, their temporary files, their output."""
    python: Path
    report: Path


@dataclass(frozen=True)
class Run:
    """How a run of pytest ended."""

    exit_code: int
    output: str


def run(plan: TestPlan, cage: Cage) -> Run:
    """Run the tests; the report bears the commit as the name of its suite. Raises Permanent."""
    for name in ("home", "tmp"):
        (cage.folder / name).mkdir()
    output = cage.folder / "output"
    code = _wait(plan, cage, output)
    said = _tail(output)
    if code not in _ENDED_WITH_A_REPORT or not cage.report.exists():
        raise Permanent(f"pytest ended with {code} and no report: {said}")
    return Run(code, said)


def _wait(plan: TestPlan, cage: Cage, output: Path) -> int:
    """The exit code; what the tests leave running ends with the session."""
    with output.open("wb") as sink:
        process = subprocess.Popen(  # noqa: S603 -- a list of words, never a shell
            [str(cage.python), "-m", "pytest", *_options(plan, cage)],
            env=_environment(plan, cage), cwd=cage.tree,
            stdin=subprocess.DEVNULL, stdout=sink, stderr=sink,
        )  # fmt: skip
    try:
        return process.wait(plan.seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(10)
        late = f"the tests did not end within {plan.seconds:g} s"
        raise Permanent(f"{late}; last words: {_tail(output)}") from None


def _options(plan: TestPlan, cage: Cage) -> list[str]:
    """Nothing above the tree is asked for configuration, and nothing is written into it."""
    empty = cage.folder / "pytest.ini"
    empty.write_text("[pytest]\n")
    return [
        f"-c{cage.tree / plan.config if plan.config else empty}",
        f"--rootdir={cage.tree}",
        f"--confcutdir={cage.tree}",
        "-pno:cacheprovider",
        f"--junitxml={cage.report}",
        f"-ojunit_suite_name={cage.commit}",
        "-ojunit_family=xunit2",
        *(["-opython_files=test*.py"] if plan.runner == "unittest" else []),
        *(f"./{path}" for path in plan.paths),
    ]


def _environment(plan: TestPlan, cage: Cage) -> dict[str, str]:
    return {
        "PATH": os.pathsep.join((str(cage.python.parent), os.defpath)),
        "PYTHONPATH": os.pathsep.join(str(cage.tree / root) for root in plan.roots),
        "HOME": str(cage.folder / "home"),
        "TMPDIR": str(cage.folder / "tmp"),
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "NO_COLOR": "1",
    }


def _tail(output: Path) -> str:
    with output.open("rb") as said:
        said.seek(max(0, said.seek(0, os.SEEK_END) - _SAID))
        return "\n".join(map(shown, said.read().decode("utf-8", "replace").splitlines()))


def pretend_installed(pyproject: dict[str, Any], environment: Path) -> None:
    """Write the metadata an installed project has, so that it can ask for its own version."""
    project = pyproject.get("project")
    name = project.get("name") if isinstance(project, dict) else None
    if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z0-9._-]{1,100}", name):
        return
    version = str(project.get("version", "0")) if isinstance(project, dict) else "0"
    if not re.fullmatch(r"[A-Za-z0-9.!+_]{1,100}", version):
        version = "0"
    folder = site_packages(environment) / f"{re.sub('[-_.]+', '_', name)}-{version}.dist-info"
    folder.mkdir(exist_ok=True)
    (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")

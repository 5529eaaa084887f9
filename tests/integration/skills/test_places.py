"""Skills are found where they are said to be, and a broken place stops nothing else (C-13)."""

import json
import os
import subprocess
import sys
import sysconfig
import textwrap
import zipfile
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from autonomy.node.services.generations import NEXT_SECONDS
from autonomy.sessions.pool import SessionPool
from autonomy.sessions.sources import Sources, packages
from autonomy.testing import Bench, UnknownSkill

ROOT = Path(__file__).parents[3]
UV = Path(sys.executable).with_name("uv")

GREET = """
from autonomy.sdk import Context, Evidence, skill
from autonomy.sdk.evidence import check

@skill(name="{name}", tier=1)
def greet(ctx: Context, name: str) -> str:
    (ctx.artifacts / "greeting.txt").write_text(f"Hello, {{name}}!")
    return name

@greet.verify
def _(ctx, args, result) -> Evidence:
    seen = ctx.artifacts["greeting.txt"].read_text()
    return Evidence.of(check("greeting.txt", expected=f"Hello, {{args['name']}}!", seen=seen))
"""


def greet(name: str) -> str:
    return GREET.format(name=name)


def test_the_skills_of_a_folder_are_found_run_and_verified(project: Path) -> None:
    (project / "skills.py").write_text(greet("hello.greet"))

    with Bench(project) as bench:
        tried = bench.run("hello.greet", name="Ada")

    assert (tried.state, tried.verdict, tried.why) == ("done", "verified", "")
    assert tried.result == "Ada"


def test_a_package_that_is_installed_declares_by_its_entry_point(open_folder: Path) -> None:
    python = environment(open_folder, wheel(open_folder))

    found = asked(python, "bench.run('tiny.greet', name='Ada').verdict")

    assert found == "verified"


def test_a_broken_package_is_a_problem_under_the_name_of_its_entry_point(
    open_folder: Path, project: Path
) -> None:
    (project / "skills.py").write_text(greet("hello.greet"))
    broken = wheel(open_folder, code="import nothing_of_that_name")

    found = asked(environment(open_folder, broken), "(bench.problems, list(bench.skills))", project)

    assert "ModuleNotFoundError" in found[0]["tiny_skills"]
    assert found[1] == ["hello.greet"]


BROKEN = {
    "syntax.py": ("def (:", "SyntaxError"),
    "missing.py": ("import nothing_of_that_name", "No module named 'nothing_of_that_name'"),
    "raises.py": ("x = 1\nraise ValueError('on line two')", "line 2"),
    "leaves.py": ("raise SystemExit(0)", "SystemExit"),
    "stops.py": ("raise KeyboardInterrupt", "KeyboardInterrupt"),
    "tier.py": (
        "from autonomy.sdk import skill\n@skill(tier=4)\ndef act(ctx) -> None: ...",
        "SkillDeclarationError: tier of tier.act is 4; use 1, 2 or 3",
    ),
    "later.py": (greet("later.greet") + "\n1 / 0", "ZeroDivisionError"),
    "schema.py": (
        "from autonomy.sdk import skill\n@skill(tier=1)\ndef act(ctx, how: str = 'a\\0b'): ...",
        "cannot be stored",
    ),
}


def test_whatever_is_broken_is_told_with_its_place_and_stops_nothing_else(project: Path) -> None:
    for name, (code, _) in BROKEN.items():
        (project / name).write_text(code)
    (project / "skills.py").write_text(greet("hello.greet"))

    with Bench(project) as bench:
        problems, names = bench.problems, set(bench.skills)
        tried = bench.run("hello.greet", name="Ada")

    told = " ".join(problems)
    assert {name for name in BROKEN if name not in told} == {"schema.py"}
    assert [why for _, why in BROKEN.values() if why not in "".join(problems.values())] == []
    assert names == {"hello.greet"}
    assert tried.verdict == "verified"


def test_modules_that_do_not_end_importing_are_interrupted(project: Path) -> None:
    for number in range(8):
        (project / f"asleep{number}.py").write_text("import time\ntime.sleep(60)")
    (project / "zz.py").write_text(greet("hello.greet"))

    with closing(SessionPool((project,))) as pool:
        pool.start(NEXT_SECONDS)
        problems, names = pool.problems, [one.name for one in pool.components]

    assert len(problems) == 8
    assert all("ImportTooSlow" in problem for problem in problems.values())
    assert names == ["hello.greet"]


def test_two_of_one_name_are_a_problem_that_names_both_places(project: Path) -> None:
    (project / "first.py").write_text(greet("hello.greet"))
    (project / "second.py").write_text(greet("hello.greet"))
    other = project.parent / "other"
    other.mkdir(mode=0o755)
    (other / "third.py").write_text(greet("hello.greet"))

    with Bench(project, other) as bench:
        problems = bench.problems

    assert list(problems) == ["skill hello.greet"]
    assert f"declared in {project} and again in {other}" in problems["skill hello.greet"]


def test_a_folder_that_is_not_there_is_a_problem_and_no_more(project: Path) -> None:
    (project / "skills.py").write_text(greet("hello.greet"))

    with Bench(project / "nothing", project) as bench:
        assert "NoFolder" in bench.problems[str(project / "nothing")]
        assert set(bench.skills) == {"hello.greet"}


@pytest.mark.parametrize("name", ["my-skills", "tmp.Xy12", "json", "tests", "42"])
def test_a_folder_may_have_any_name_and_its_modules_import_each_other(
    open_folder: Path, name: str
) -> None:
    folder = open_folder / name
    folder.mkdir(mode=0o755)
    (folder / "words.py").write_text("HELLO = 'Hello'")
    (folder / "skills.py").write_text(
        "from . import words\nfrom autonomy.sdk import skill\n"
        "@skill(tier=1)\ndef say(ctx) -> str:\n    return words.HELLO\n"
    )

    with Bench(folder) as bench:
        assert bench.problems == {}
        assert bench.run("skills.say").result == "Hello"


def test_two_folders_of_one_name_do_not_hide_each_other(open_folder: Path) -> None:
    folders = [open_folder / place / "skills" for place in ("here", "there")]
    for number, folder in enumerate(folders):
        folder.mkdir(parents=True)
        folder.parent.chmod(0o755)
        (folder / "__init__.py").touch()
        (folder / "greeting.py").write_text(greet(f"greet.number{number}"))

    with Bench(*folders) as bench:
        assert (bench.problems, set(bench.skills)) == ({}, {"greet.number0", "greet.number1"})


def test_the_package_of_a_folder_may_be_broken_without_its_modules(project: Path) -> None:
    (project / "__init__.py").write_text("1 / 0")
    (project / "skills.py").write_text(greet("hello.greet"))

    with Bench(project) as bench:
        assert list(bench.problems) == [str(project / "__init__.py")]
        assert set(bench.skills) == {"hello.greet"}


def test_an_unknown_skill_is_told_with_those_there_are_and_what_is_broken(project: Path) -> None:
    (project / "skills.py").write_text(greet("hello.greet"))
    (project / "bad.py").write_text("1 / 0")

    with Bench(project) as bench, pytest.raises(UnknownSkill, match=r"hello\.greet") as raised:
        bench.run("hello.gret")

    assert "ZeroDivisionError" in str(raised.value)


def test_sources_have_changed_when_a_file_came_went_or_is_another(project: Path) -> None:
    (project / "skills.py").write_text("x = 1")
    sources = Sources(packages([project]))
    assert not sources.changed()

    (project / "greet.yaml").write_text("name: greet")
    assert sources.changed()
    sources = Sources(packages([project]))
    (project / "greet.yaml").write_text("name: greets")
    assert sources.changed()
    (project / "greet.yaml").write_text("name: greet")
    assert not sources.changed()
    (project / "greet.yaml").unlink()
    assert sources.changed()


def wheel(folder: Path, code: str = "") -> Path:
    """A tiny package, as a builder would make it."""
    info = "tiny_skills-1.0.dist-info"
    files = {
        "tiny_skills.py": code or greet("tiny.greet"),
        f"{info}/METADATA": "Metadata-Version: 2.1\nName: tiny-skills\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\n"
        "Tag: py3-none-any\n",
        f"{info}/entry_points.txt": "[autonomy.components]\ntiny = tiny_skills\n",
    }
    listed = "".join(f"{name},,\n" for name in (*files, f"{info}/RECORD"))
    made = folder / "tiny_skills-1.0-py3-none-any.whl"
    with zipfile.ZipFile(made, "w") as archive:
        for name, text in {**files, f"{info}/RECORD": listed}.items():
            archive.writestr(name, text)
    return made


def environment(folder: Path, package: Path) -> Path:
    """The Python of a new environment that sees what ours has, with a package installed."""
    home = folder / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", home], check=True, timeout=60)
    python = home / "bin" / "python"
    subprocess.run(
        [UV, "pip", "install", "--quiet", "--offline", "--no-index", "--python", python, package],
        check=True, timeout=60, env={**os.environ, "UV_CACHE_DIR": str(folder / "cache")},
    )  # fmt: skip
    [site] = home.glob("lib/*/site-packages")
    (site / "ours.pth").write_text(f"{sysconfig.get_path('purelib')}\n{ROOT}\n")
    return python


def asked(python: Path, expression: str, *folders: Path) -> Any:
    """What a bench answers in that environment."""
    code = f"""
        import json, sys
        from pathlib import Path
        from autonomy.testing import Bench
        with Bench(*map(Path, sys.argv[1:])) as bench:
            print(json.dumps({expression}))
    """
    answer = subprocess.run(
        [python, "-c", textwrap.dedent(code), *folders],
        cwd=folders[0] if folders else "/", check=True, timeout=60, capture_output=True, text=True,
    )  # fmt: skip
    return json.loads(answer.stdout)

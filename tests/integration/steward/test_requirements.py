"""What a project's tests need: found without running any of it, had from wheels only."""

import base64
import hashlib
import io
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from autonomy.sdk import Permanent, Transient
from steward import environment
from steward.requirements import Needs, needs
from tests.integration.steward.index import Index, package_index, sdist


def found(pyproject: Mapping[str, Any] | None = None, **files: str) -> Needs:
    named = {name.replace("__", ".").replace("_in_", "/"): text for name, text in files.items()}
    return needs(dict(pyproject or {}), lambda path: named.get(path, ""), named)


def test_dependencies_and_test_extras_of_pyproject_are_found() -> None:
    pyproject = {
        "project": {
            "dependencies": ["attrs>=22"],
            "optional-dependencies": {"test": ["pytest-cov"], "docs": ["sphinx"], "dev": ["tox"]},
        },
        "dependency-groups": {"tests": [{"include-group": "more"}], "more": ["hypothesis"]},
    }

    assert found(pyproject) == Needs(("attrs>=22",), ("pytest-cov", "hypothesis"), ())


def test_the_group_for_developers_stands_in_without_what_is_not_for_tests() -> None:
    dev = ["pytest~=9.0", "pytest-mypy~=1.0", "sphinx~=8.1", "types-PyYAML~=6.0", "pyyaml~=6.0"]

    assert found({"dependency-groups": {"dev": dev}}).tests == ("pytest~=9.0", "pyyaml~=6.0")


def test_setup_cfg_and_setup_py_are_read_and_not_run() -> None:
    setup_py = (
        "raise SystemExit('run')\nfrom setuptools import setup\n"
        "setup(install_requires=['six'], extras_require={'test': ['mock']}, tests_require=VALUE)\n"
    )
    setup_cfg = "[options]\ninstall_requires =\n  idna\n[options.extras_require]\ntests = nose2\n"

    assert found(setup__py=setup_py, setup__cfg=setup_cfg) == Needs(
        ("idna", "six"), ("mock", "nose2"), ()
    )


def test_requirement_files_for_tests_are_read_line_by_line() -> None:
    text = (
        "# what we need\npytest>=7  # runner\n-r ../../etc/passwd\n--index-url http://evil\n-e .\n"
    )

    assert found(None, **{"requirements-test__txt": text}).tests == ("pytest>=7",)
    assert found(requirements__txt=text).tests == ()


@pytest.mark.parametrize(
    "text", ["evil @ https://example.org/evil.whl", "evil @ file:///etc/passwd", "--upgrade", "a b"]
)
def test_what_is_no_release_of_an_index_is_left_out_and_said(text: str) -> None:
    needed = found({"project": {"dependencies": [text]}})

    assert needed.project == ()
    assert len(needed.left_out) == 1


def test_markers_are_judged_here() -> None:
    dependencies = ["tomli; python_version < '3'", "attrs; python_version >= '3'"]

    assert found({"project": {"dependencies": dependencies}}).project == ("attrs",)


@pytest.mark.parametrize(
    "pyproject",
    [
        {"project": 3},
        {"project": {"dependencies": "attrs"}},
        {"project": {"dependencies": [3]}},
        {"dependency-groups": {"test": [{"include-group": "test"}]}},
    ],
)
def test_nonsense_needs_nothing(pyproject: dict[str, Any]) -> None:
    assert found(pyproject) == Needs((), (), ())


@pytest.fixture
def index(monkeypatch: pytest.MonkeyPatch) -> Iterator[Index]:
    with package_index() as index:
        monkeypatch.setenv("UV_DEFAULT_INDEX", index.url)
        publish(index, "pytest", "9.0")
        yield index


def publish(index: Index, name: str, version: str) -> None:
    file = f"{name}-{version}-py3-none-any.whl"
    about = f"{name}-{version}.dist-info"
    files = {
        f"{name}.py": "",
        f"{about}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{about}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as wheel:
        for path, text in files.items():
            wheel.writestr(path, text)
        wheel.writestr(f"{about}/RECORD", "".join(f"{p},{_hash(t)},\n" for p, t in files.items()))
    index.pages[f"/files/{file}"] = packed.getvalue()
    index.pages[f"/{name}/"] = f'<a href="/files/{file}">{file}</a>'.encode()


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return "sha256=" + base64.urlsafe_b64encode(digest).decode().rstrip("=")


def test_wheels_are_unpacked_and_packed_as_one_file(index: Index, tmp_path: Path) -> None:
    publish(index, "helper", "1.5")

    assert environment.install(["helper>=1"], [], tmp_path) == []
    environment.pack(tmp_path / "site", tmp_path / "environment.tar")

    packed = environment.distributions(tmp_path / "environment.tar")
    assert packed == ["helper==1.5", "pytest==9.0"]


def test_what_would_have_to_be_built_is_left_out_of_what_tests_need(
    index: Index, tmp_path: Path
) -> None:
    publish(index, "helper", "1.5")
    index.release("source", "1.0", sdist({"source-1.0/setup.py": f"open('{tmp_path}/ran', 'w')"}))

    left_out = environment.install([], ["source", "helper"], tmp_path)

    assert [item.partition(":")[0] for item in left_out] == ["source"]
    assert (tmp_path / "site" / "helper.py").exists()
    assert not (tmp_path / "ran").exists()


def test_a_project_whose_own_needs_have_no_wheel_cannot_be_tested(
    index: Index, tmp_path: Path
) -> None:
    index.release("source", "1.0", sdist({"source-1.0/setup.py": ""}))

    with pytest.raises(Permanent, match="cannot be had from wheels"):
        environment.install(["source"], [], tmp_path)


def test_an_index_out_of_reach_is_tried_again_later(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("UV_DEFAULT_INDEX", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")

    with pytest.raises(Transient, match="cannot be reached"):
        environment.install([], [], tmp_path)

"""The environment is made by the tool that is locked, on a machine that has nothing."""

import ast
import re
import sys
import tomllib

from console.host.home import CHECKOUT


def test_the_pinned_uv_is_the_locked_one_hash_by_hash() -> None:
    lock = tomllib.loads((CHECKOUT / "uv.lock").read_text())
    [uv] = [package for package in lock["package"] if package["name"] == "uv"]
    files = [*uv["wheels"], *([uv["sdist"]] if "sdist" in uv else [])]

    pinned = (CHECKOUT / "bootstrap.txt").read_text()

    assert f"uv=={uv['version']}" in pinned
    assert set(re.findall(r"sha256:[0-9a-f]{64}", pinned)) == {file["hash"] for file in files}


def test_the_bootstrap_needs_only_the_standard_library() -> None:
    tree = ast.parse((CHECKOUT / "bootstrap.py").read_text(), feature_version=(3, 8))
    imported = {
        name.partition(".")[0]
        for node in ast.walk(tree)
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }

    assert imported <= sys.stdlib_module_names

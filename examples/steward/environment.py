"""The environment of tests: wheels from a package index; nothing of it is run to build it."""

import os
import re
import ssl
import subprocess
import sys
import tarfile
import venv
from collections.abc import Sequence
from pathlib import Path

import uv

from autonomy.sdk import Permanent, Transient
from steward import archive
from steward.git import shown

NAME = "environment.tar"
FROM_OUTSIDE = (
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"),
    *("PIP_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_HTTP_RETRIES"),
)
"""The machine's settings that the installer needs, where the session was given them."""
_UNREACHABLE = re.compile(
    r"failed to fetch|error sending request|dns error|timed? ?out|connection|temporar",
    re.IGNORECASE,
)
_SAID = 600
_SECONDS = 240


class NotInstalled(Exception):
    """The requirements cannot be had from wheels; the message holds the installer's words."""


def install(project: Sequence[str], tests: Sequence[str], folder: Path) -> list[str]:
    """Unpack what the tests need into `folder/site`; returns what could not be had, and why.

    Raises Permanent when what the project itself needs cannot be had, Transient without an index.
    """
    needed = ["pytest", *project]
    try:
        _install([*needed, *tests], folder)
    except NotInstalled:
        return _one_by_one(needed, tests, folder)
    return []


def _one_by_one(needed: Sequence[str], tests: Sequence[str], folder: Path) -> list[str]:
    left_out = []
    try:
        _install(needed, folder)
    except NotInstalled as error:
        raise Permanent(f"what the project needs cannot be had from wheels: {error}") from None
    for requirement in tests:
        try:
            _install([requirement], folder)
        except NotInstalled as error:
            left_out.append(f"{requirement}: {error}")
    return left_out


def _install(requirements: Sequence[str], folder: Path) -> None:
    argv = [
        uv.find_uv_bin(), "pip", "install", "--quiet", "--no-config", "--no-progress",
        "--only-binary", ":all:", "--link-mode", "copy",
        "--target", str(folder / "site"), "--python", sys.executable, "--", *requirements,
    ]  # fmt: skip
    trusted = ssl.get_default_verify_paths().cafile
    outside = {"SSL_CERT_FILE": trusted} if trusted else {}
    outside |= {name: os.environ[name] for name in FROM_OUTSIDE if name in os.environ}
    if "PIP_INDEX_URL" in outside:
        outside.setdefault("UV_DEFAULT_INDEX", outside.pop("PIP_INDEX_URL"))
    own = {"PATH": os.defpath, "HOME": str(folder), "UV_CACHE_DIR": str(folder / "cache"),
           "TMPDIR": str(folder), "NO_COLOR": "1", "UV_HTTP_TIMEOUT": "20"}  # fmt: skip
    try:
        ended = subprocess.run(  # noqa: S603 -- a list of words, never a shell
            argv, env={**outside, **own}, cwd=folder, capture_output=True,
            stdin=subprocess.DEVNULL, timeout=_SECONDS, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise Transient(f"the package index did not answer within {_SECONDS} s") from None
    if ended.returncode:
        words = ended.stderr.decode("utf-8", "replace").split()
        said = shown(" ".join(words))[-_SAID:]
        if _UNREACHABLE.search(said):
            raise Transient(f"the package index cannot be reached: {said}")
        raise NotInstalled(said)


def pack(site: Path, into: Path) -> None:
    """Keep an unpacked environment as one file."""
    with tarfile.open(into, "w", format=tarfile.PAX_FORMAT) as tar:
        tar.add(site, arcname=".")


def distributions(packed: Path) -> list[str]:
    """The wheels in a packed environment, as `name==version`."""
    found = re.compile(r"(?:\./)?([^/]+)-([^/-]+)\.dist-info/WHEEL")
    with tarfile.open(packed) as tar:
        named = (found.fullmatch(member) for member in tar.getnames())
        return sorted(f"{name[1].lower()}=={name[2]}" for name in named if name)


def unpack(packed: Path, folder: Path) -> Path:
    """A virtual environment of its own with the packed wheels in it; returns its interpreter."""
    venv.EnvBuilder(symlinks=True, with_pip=False).create(folder)
    try:
        archive.unpack(packed, site_packages(folder))
    except archive.BadArchive as error:
        raise Permanent(f"the environment is damaged: {error}") from None
    return folder / "bin" / "python"


def site_packages(folder: Path) -> Path:
    """Where a virtual environment keeps what is installed."""
    major, minor = sys.version_info[:2]
    return folder / "lib" / f"python{major}.{minor}" / "site-packages"

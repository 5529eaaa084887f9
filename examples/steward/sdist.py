"""The source distribution of a release, fetched from a package index; none of it is run."""

import hashlib
import os
import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.parse import unquote, urldefrag, urljoin, urlsplit
from urllib.request import Request, urlopen

from packaging.utils import InvalidSdistFilename, canonicalize_name, parse_sdist_filename
from packaging.version import InvalidVersion, Version

from steward import archive
from steward.sources import BadSource, Unreachable

INDEX = "https://pypi.org/simple"
MOST_BYTES = 100_000_000
_SECONDS = 20.0
_PINNED = re.compile(r"([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)==([A-Za-z0-9.!+_]+)")


class WrongHash(BadSource):
    """What was fetched is not what was promised."""


def pinned(source: str) -> tuple[str, Version] | None:
    """The name and version in `name==version`, or None for anything else."""
    found = _PINNED.fullmatch(source)
    try:
        return (canonicalize_name(found[1]), Version(found[2])) if found else None
    except InvalidVersion:
        return None


def fetch(name: str, version: Version, into: Path, *, sha256: str = "") -> Path:
    """Unpack the release into a new folder and return it; raises BadSource, Unreachable."""
    url, promised = _address(name, version)
    content = _download(url)
    seen = hashlib.sha256(content).hexdigest()
    for expected in filter(None, (promised, sha256)):
        if seen != expected:
            raise WrongHash(
                f"{name}=={version} has the hash {seen} and not {expected}: it was changed at the"
                " index or on the way; nothing was unpacked, look at the index before trying again"
            )
    into.mkdir(parents=True)
    packed = into / "release.tar.gz"
    packed.write_bytes(content)
    return _unpack(packed, into / "files")


def index_url() -> str:
    """The index that the machine's settings name, or the public one."""
    for name in ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL"):
        if os.environ.get(name):
            return os.environ[name].rstrip("/")
    return INDEX


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value for name, value in attrs if tag == "a" and name == "href" and value]


def _address(name: str, version: Version) -> tuple[str, str]:
    """Where the release's source distribution is, and the hash the index promises."""
    page = f"{index_url()}/{name}/"
    links = _Links()
    listed = _download(page, missing=f"the index knows no project {name!r}")
    links.feed(listed.decode("utf-8", "replace"))
    for link in links.found:
        url, fragment = urldefrag(urljoin(page, link))
        if _is_release(unquote(urlsplit(url).path.rpartition("/")[2]), name, version):
            return url, fragment.removeprefix("sha256=") if fragment.startswith("sha256=") else ""
    raise BadSource(f"the index has no source distribution of {name}=={version}; choose another")


def _is_release(file: str, name: str, version: Version) -> bool:
    try:
        return file.endswith(".tar.gz") and parse_sdist_filename(file) == (name, version)
    except (InvalidSdistFilename, InvalidVersion):
        return False


def _download(url: str, *, missing: str = "the index lost a file it lists") -> bytes:
    if urlsplit(url).scheme not in ("https", "http", "file"):
        raise BadSource(f"the index names an address that is not fetched: {_without_secret(url)}")
    try:
        request = Request(url, headers={"Accept": "text/html, */*;q=0.1"})  # noqa: S310
        with urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310
            content: bytes = answer.read(MOST_BYTES + 1)
    except HTTPError as error:
        if error.code == 404:
            raise BadSource(f"{missing}; check the spelling") from None
        raise Unreachable(
            f"{_without_secret(url)} answered {error.code}; try again later"
        ) from None
    except (URLError, OSError) as error:
        raise Unreachable(
            f"{_without_secret(url)} cannot be reached ({error}); check the network, or give the"
            " path of a repository on this machine"
        ) from None
    if len(content) > MOST_BYTES:
        raise BadSource(f"the release is larger than {MOST_BYTES} bytes")
    return content


def _without_secret(url: str) -> str:
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def _unpack(packed: Path, into: Path) -> Path:
    """Unpack the release; returns the one folder that it consists of."""
    into.mkdir()
    try:
        archive.unpack(packed, into)
    except archive.BadArchive as error:
        raise BadSource(f"the release is not to be trusted: {error}; choose another") from None
    tops = list(into.iterdir())
    return tops[0] if len(tops) == 1 and tops[0].is_dir() else into

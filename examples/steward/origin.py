"""A bare repository of our own, made from what the steward is pointed at, which is only read."""

import os
import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from steward import sdist
from steward.arguments import head
from steward.git import GitFailed, commit_id, git
from steward.sources import BadSource, EmptyRepository, NoRepository, Unreachable

DEFAULT = "tinydb==4.9.0"
DEFAULT_SHA256 = "6928b1fa785186bda7952a0ba05aaeedc883ede565ca9c7d608de44e5e75de70"
PROTOCOLS = "file:git:http:https:ssh"
_FETCH_SECONDS = 300.0
_URL = re.compile(r"[a-z][a-z0-9+.-]*://.+|[A-Za-z0-9._-]+@[A-Za-z0-9.-]+:.+")
_BRANCH = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+@=/-]*")
_ACCEPTED = "a path or URL of a git repository, or name==version of a release"
_ARRIVED = "refs/steward/arrived"


@dataclass(frozen=True)
class Origin:
    """A bare repository that the steward looks after."""

    path: Path
    branch: str
    commit: str
    source: str


def prepare_origin(source: str, into: Path) -> Origin:
    """Make `into/origin.git` from a path or URL of a repository, or from a release `name==version`.

    Raises BadSource, and then makes no origin.
    """
    if (into / "origin.git").exists():
        raise BadSource(f"{into} holds an origin already; name a new folder")
    try:
        into.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=into, prefix=".making-") as scratch:
            return _prepare(source, into.resolve(), Path(scratch).resolve())
    except GitFailed as error:
        raise BadSource(f"{_shown(source)} cannot be copied: {error}") from None
    except OSError as error:
        raise BadSource(
            f"no origin can be made in {into}: {error}; make room or give rights"
        ) from None


def _prepare(source: str, into: Path, scratch: Path) -> Origin:
    made = scratch / "origin.git"
    _init(made)
    branch = _fill(source, made, scratch)
    git(made, "symbolic-ref", "HEAD", head(branch))
    commit = commit_id(made, head(branch))
    made.rename(into / "origin.git")
    return Origin(into / "origin.git", branch, commit, source)


def _fill(source: str, made: Path, scratch: Path) -> str:
    release = sdist.pinned(source)
    if release and not Path(source).exists():
        sha256 = DEFAULT_SHA256 if source == DEFAULT else ""
        files = sdist.fetch(*release, scratch / "release", sha256=sha256)
        return _commit_all(made, files, f"{release[0]} {release[1]}")
    if _URL.fullmatch(source):
        return _fetch_url(source, made)
    return _fetch_path(Path(source), made)


def _init(made: Path) -> None:
    """A repository with its refs in files, readable by all who must look at it.

    As root, every session is a user of its own, so that all users may write: who can at all is
    said by the scope of a session, and by the rights on the folder above.
    """
    shared = "0666" if os.geteuid() == 0 else "0644"
    options = ("--quiet", "--bare", "--template=", f"--shared={shared}")
    git(made, "init", *options, env={"GIT_DEFAULT_REF_FORMAT": "files"}, cwd=made.parent)
    fixes = made / "refs" / "heads" / "steward"
    fixes.mkdir()
    fixes.chmod((made / "refs" / "heads").stat().st_mode & 0o777)
    (fixes / ".keep").touch()  # git removes an empty folder of refs


def _fetch_path(source: Path, made: Path) -> str:
    if not source.is_dir():
        raise NoRepository(f"there is no folder {source}; give {_ACCEPTED}")
    if not any(map(_is_repository, (source / ".git", source))):
        raise NoRepository(
            f"{source} is no git repository; run `git init` there, or give {_ACCEPTED}"
        )
    as_is = "--upload-pack=git -c safe.directory=* upload-pack"  # whoever owns it
    try:
        return _fetch(str(source.resolve()), made, as_is)
    except GitFailed as error:
        raise Unreachable(f"{source} cannot be read: {error}; run `git fsck` there") from None


def _fetch_url(source: str, made: Path) -> str:
    try:
        return _fetch(source, made)
    except GitFailed as error:
        next_step = "check the address, the network and your rights"
        raise Unreachable(f"{_shown(str(error))}; {next_step}") from None


def _is_repository(folder: Path) -> bool:
    return folder.is_file() or ((folder / "HEAD").is_file() and (folder / "objects").is_dir())


def _fetch(url: str, made: Path, *options: str) -> str:
    """Fetch the commit that another repository's HEAD stands on; returns its branch."""
    branch = _head_of(url, made, *options)
    _transport(made, "fetch", "--quiet", "--no-tags", "--no-auto-maintenance",
               "--no-recurse-submodules", "--no-write-fetch-head", *options, url,
               f"HEAD:{_ARRIVED}")  # fmt: skip
    git(made, "update-ref", head(branch), _ARRIVED)
    git(made, "update-ref", "-d", _ARRIVED)
    return branch


def _head_of(url: str, made: Path, *options: str) -> str:
    told = _transport(made, "ls-remote", "--symref", *options, url, "HEAD")
    if "\tHEAD" not in told:
        raise EmptyRepository(f"HEAD of {_shown(url)} stands on no commit; make one there first")
    found = re.search(r"^ref: refs/heads/(\S+)\tHEAD$", told, re.MULTILINE)
    return found[1] if found and _BRANCH.fullmatch(found[1]) else "main"


def _transport(made: Path, *args: str) -> str:
    ssh = "ssh -oBatchMode=yes -oConnectTimeout=15"
    home = os.environ.get("HOME", "/")  # ssh looks there for its keys
    env = {"GIT_ALLOW_PROTOCOL": PROTOCOLS, "GIT_SSH_COMMAND": ssh, "HOME": home, **_network()}
    return git(made, *args, env=env, timeout=_FETCH_SECONDS).decode("utf-8", "replace")


def _network() -> dict[str, str]:
    names = ("SSL_CERT_FILE", "GIT_SSL_CAINFO", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY")
    return {name: os.environ[name] for name in (*names, "SSH_AUTH_SOCK") if name in os.environ}


def _shown(text: str) -> str:
    """Text without the secrets that an address may hold."""
    return re.sub(r"//[^/@\s]+@", "//", text)


def _commit_all(made: Path, files: Path, message: str) -> str:
    """Commit a folder to branch main: the same files give the same commit, at any time."""
    if not any(files.iterdir()):
        raise EmptyRepository("the release has no files")
    shutil.rmtree(files / ".git", ignore_errors=True)
    settings = {
        "GIT_WORK_TREE": str(files),
        "GIT_INDEX_FILE": str(files.parent / "index"),
        **{f"GIT_{role}_{field}": value for role in ("AUTHOR", "COMMITTER")
           for field, value in (("NAME", "package index"), ("EMAIL", "index@autonomy.invalid"),
                                ("DATE", "@0 +0000"))},
    }  # fmt: skip
    git(made, "add", "--all", "--force", "--", ".", env=settings, cwd=files, timeout=_FETCH_SECONDS)
    tree = git(made, "write-tree", env=settings).decode().strip()
    commit = git(made, "commit-tree", tree, "-m", message, env=settings).decode().strip()
    git(made, "update-ref", head("main"), commit, "")
    return "main"

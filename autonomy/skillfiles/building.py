"""From a skill file to the same `Skill` that a Python module declares."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from autonomy.domain.amounts import seconds
from autonomy.sdk.context import Context, VerifierContext
from autonomy.sdk.errors import SkillDeclarationError
from autonomy.sdk.evidence import Evidence
from autonomy.sdk.limits import amount, isolation_of, limits_of, retries_of
from autonomy.sdk.naming import labels_of
from autonomy.sdk.plan import Plan
from autonomy.sdk.scope import Scope
from autonomy.sdk.skill import Skill
from autonomy.skillfiles.arguments import model_of
from autonomy.skillfiles.attached import attached, version_of
from autonomy.skillfiles.codes import Codes, codes_of_command, codes_of_http
from autonomy.skillfiles.commands import INSIDE, command_of
from autonomy.skillfiles.deeds import Deed, Running
from autonomy.skillfiles.errors import WrongValue
from autonomy.skillfiles.places import At, template, value_of
from autonomy.skillfiles.requests import Asking, asking_of
from autonomy.skillfiles.results import Shaping
from autonomy.skillfiles.shape import Http, Preflight, Result, SkillFile, parsed

_LOOKING = ("GET", "HEAD", "OPTIONS")
_ABSENT = "absent"


def skill_of(path: Path, content: bytes, document: Any) -> Skill:
    """The skill that a file declares; raises BadSkillFile."""
    if not isinstance(document, dict):
        raise WrongValue("a skill file is a list of keys, such as `name: greet`")
    given = parsed(SkillFile, document)
    files = attached(path.parent, given.files)
    try:
        declared = _declared(given, files)
    except SkillDeclarationError as error:
        raise WrongValue(str(error)) from None
    declared.module = str(path)
    declared.version = version_of(content, files)
    return declared


def _declared(given: SkillFile, files: Mapping[str, bytes]) -> Skill:
    model = model_of(given.name, given.arguments)
    arguments = frozenset(model.model_fields)
    deed = _deed(given, arguments | INSIDE, files)
    preflight, planning = _preflight(given, arguments, files)
    evidence, looking = _verify(given, arguments)
    asked = frozenset(_host(one) for one in (deed, planning) if one) - {""} | looking
    name, retries = given.name, given.retries
    return Skill(
        name=name,
        run=Running(deed, Shaping(given.result.format, given.result.schema_)),
        tier=given.tier,
        owner=given.owner,
        description=given.description,
        limits=limits_of(name, **given.limits.model_dump()),
        retries=retries_of(
            name, retries.times, backoff=retries.backoff, on_exhausted=retries.on_exhausted
        ),
        scope=_scope(given, asked),
        estimate_seconds=amount(f"estimate of {name}", seconds, given.estimate),
        isolation=isolation_of(name, given.isolation),
        foreign_code=False,
        critical=given.critical,
        verify_within_seconds=amount(f"verify_within of {name}", seconds, given.verify_within),
        on_ambiguous=given.on_ambiguous,
        arguments=model,
        result=TypeAdapter(Any),
        module="",
        labels=labels_of(given.labels),
        preflight_hook=preflight,
        reads_hook=_reads(given.reads, arguments),
        verify_hook=evidence,
    )


def _deed(given: SkillFile, known: frozenset[str], files: Mapping[str, bytes]) -> Deed:
    _one_of(given, ())
    if given.http is not None:
        asking = _asking(given.http, known, given, ("http",))
        once = given.once if given.once is not None else not asking.repeatable
        return Deed(asking, codes_of_http(given.result, once=once), once)
    command = command_of(given.run, given.shell, given.stdin, known=known, files=files, at=())
    _check_exits(given.result)
    once = given.once if given.once is not None else given.tier > 1
    return Deed(command, codes_of_command(given.result, once=once), once)


def _one_of(given: SkillFile | Preflight, at: At) -> None:
    ways = [key for key in ("run", "shell", "http") if getattr(given, key) is not None]
    if len(ways) != 1:
        raise WrongValue("give exactly one of `run`, `shell` and `http`", at=at)
    if given.http is not None and given.stdin is not None:
        raise WrongValue("a request has no stdin; use json, form or text", at=(*at, "stdin"))


def _asking(http: Http, known: frozenset[str], given: SkillFile, at: At) -> Asking:
    return asking_of(http, known, frozenset(given.scope.hosts), at)


def _check_exits(result: Result) -> None:
    for key in ("ok", "transient", "permanent"):
        for number, code in enumerate(getattr(result, key) or ()):
            if not code.isdigit() or int(code) > 255:
                raise WrongValue("an exit code is a number up to 255", at=("result", key, number))


def _scope(given: SkillFile, asked: frozenset[str]) -> Scope:
    """What it may touch; its hosts are those that are `asked`, where it does not name more."""
    scope = given.scope
    if scope.hosts and not asked:
        raise WrongValue(
            "hosts bind `http` only; a command gets the whole network with `network: true`",
            at=("scope", "hosts"),
        )
    return Scope(
        read=tuple(scope.read),
        write=tuple(scope.write),
        network=scope.network or bool(asked),
        hosts=tuple(sorted({*scope.hosts, *asked})),
    )


def _preflight(
    given: SkillFile, arguments: frozenset[str], files: Mapping[str, bytes]
) -> tuple[Callable[..., Plan] | None, Deed | None]:
    """The hook, and what it does."""
    before = given.preflight
    if before is None:
        if given.tier == 2:
            raise WrongValue("tier 2 needs a `preflight` that says what would change", at=("tier",))
        return None, None
    at = ("preflight",)
    _one_of(before, at)
    known = arguments | INSIDE
    go = tuple(before.go or ())
    deed = _looking_deed(before, known, given, files, go)
    summary = template(before.summary, arguments, (*at, "summary")) if before.summary else None

    def plan(ctx: Context, **values: Any) -> Plan:
        return deed.planned(ctx, values, summary)

    return plan, deed


def _host(deed: Deed) -> str:
    return deed.does.host if isinstance(deed.does, Asking) else ""


def _looking_deed(
    before: Preflight,
    known: frozenset[str],
    given: SkillFile,
    files: Mapping[str, bytes],
    go: Sequence[str],
) -> Deed:
    """What only looks."""
    at = ("preflight",)
    if before.http is not None:
        if before.http.method not in _LOOKING:
            raise WrongValue("a pre-flight changes nothing: use GET", at=(*at, "http", "method"))
        asking = _asking(before.http, known, given, (*at, "http"))
        return Deed(asking, Codes(ok=go or ("2xx",)), once=False)
    command = command_of(before.run, before.shell, before.stdin, known=known, files=files, at=at)
    return Deed(command, Codes(ok=go or ("0",)), once=False)


def _reads(
    paths: Sequence[str], arguments: frozenset[str]
) -> Callable[..., Mapping[str, str]] | None:
    """The hashes of the files that an approval is bound to."""
    if not paths:
        return None
    templates = [template(path, arguments, ("reads", n)) for n, path in enumerate(paths)]

    def hashes(**values: Any) -> Mapping[str, str]:
        named = [one.filled(lambda name: str(value_of(name, values))) for one in templates]
        return {path: _hash(Path(path)) for path in named}

    return hashes


def _hash(path: Path) -> str:
    from autonomy.verification import sha256_of  # noqa: PLC0415 -- the library takes 2 MB

    try:
        return f"sha256:{sha256_of(path)}"
    except FileNotFoundError:
        return _ABSENT


def _verify(
    given: SkillFile, arguments: frozenset[str]
) -> tuple[Callable[..., Evidence] | None, frozenset[str]]:
    """The hook, and the hosts that it asks."""
    if not given.verify:
        return None, frozenset()
    from autonomy.skillfiles.checks import evidence_of  # noqa: PLC0415 -- the library takes 2 MB
    from autonomy.skillfiles.looks import hosts_of, looks_of  # noqa: PLC0415

    places = arguments | {"ctx.folder", "ctx.artifacts", "result"}
    looks = looks_of(given.verify, places, frozenset(given.scope.hosts), ("verify",))

    def evidence(ctx: VerifierContext, args: Mapping[str, Any], result: Any) -> Evidence:
        known = {"folder": str(ctx.folder), "artifacts": str(ctx.artifacts_folder)}
        return evidence_of(looks, ctx, {**args, "ctx": known, "result": result})

    return evidence, hosts_of(looks)

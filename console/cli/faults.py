"""What is known to go wrong, by the name of its error: the exit code and the next step.

Names rather than classes, so that help and start-up import nothing they do not need.
"""

import os
from dataclasses import dataclass, replace

from console.host.errors import HostError
from console.host.exits import Exit
from console.host.home import Home
from console.host.known import KnownSecrets, known_secrets


@dataclass(frozen=True)
class Fault:
    """A known failure as it is told."""

    problem: str
    next_step: str
    exit: Exit


KNOWN: dict[str, tuple[Exit, str]] = {
    "config.environment.BadSetting": (Exit.SETTING, "the settings are listed in docs/settings.md"),
    "django.core.exceptions.ImproperlyConfigured": (Exit.SETTING, "run `autonomy doctor`"),
    "django.db.utils.OperationalError": (
        Exit.SERVER,
        "is the platform running? `autonomy status` says; `autonomy up` starts it",
    ),
    "django.db.utils.ProgrammingError": (
        Exit.SERVER,
        "the database is not at this version: `autonomy up` migrates it",
    ),
    "console.cli.door.NoToken": (Exit.REFUSED, "`autonomy up` makes the first token"),
    "console.cli.door.NotPermitted": (Exit.REFUSED, "an administrator can put you in a group"),
    "console.cli.approvals.NotAsked": (Exit.USAGE, "read what is shown, then add --yes"),
    "console.cli.new.BadName": (Exit.USAGE, "such as `greet` or `mail.send`"),
    "console.cli.new.AlreadyThere": (Exit.REFUSED, "choose another name, or another --folder"),
    "console.cli.arguments.BadArgument": (Exit.USAGE, "see `autonomy submit --help`"),
    "console.services.TokenRefused": (
        Exit.REFUSED,
        "delete secrets/operator.token and run `autonomy up` again: a fresh token is made",
    ),
    "console.selectors.lookup.UnknownId": (Exit.MISSING, ""),
    "console.selectors.lookup.AmbiguousId": (Exit.MISSING, ""),
    "console.selectors.tasks.UnknownState": (Exit.USAGE, ""),
    "console.demo.job.DetectorStopped": (Exit.NOT_DONE, "`autonomy doctor` looks for the cause"),
    "steward.sources.BadSource": (Exit.SETTING, ""),
    "console.following.TookTooLong": (Exit.TIMEOUT, "`autonomy tasks` shows where it stands"),
    "autonomy.systemmap.selectors.UnknownSkill": (Exit.MISSING, "`autonomy map` lists the skills"),
    "autonomy.tasks.services.submit.SubmitRefused": (Exit.REFUSED, ""),
    "firewall.services.deciding.DecisionRefused": (
        Exit.REFUSED,
        "`autonomy approve` lists what waits; `autonomy solo --help` is for a single operator",
    ),
    "autonomy.engine.services.weighting.WeightsRefused": (Exit.REFUSED, "`autonomy weights`"),
    "autonomy.domain.priority.BadWeights": (Exit.REFUSED, "`autonomy weights` shows what is meant"),
    "autonomy.domain.amounts.BadAmount": (Exit.USAGE, ""),
    "console.cli.decisions.BadFile": (Exit.USAGE, ""),
    "firewall.services.dial.DialRefused": (Exit.REFUSED, "`autonomy level` says how it stands"),
    "ledger.services.second_looks.NothingProved": (
        Exit.REFUSED,
        "`autonomy ledger outcomes --verdict verified` lists what was proved",
    ),
    "ledger.services.erasing.NothingToErase": (
        Exit.MISSING,
        "`autonomy ledger events --json` shows which events have a body",
    ),
    "firewall.services.solo.SoloRefused": (Exit.REFUSED, "see `autonomy solo --help`"),
}


def explain(error: BaseException) -> Fault | None:
    """How to tell an error, without secrets; None for one that nobody foresaw."""
    fault = _known(error)
    return fault and replace(fault, problem=secrets().text(fault.problem))


def secrets() -> KnownSecrets:
    """What no command may say of this installation."""
    return known_secrets(os.environ, Home.of(os.environ).secrets)


def _known(error: BaseException) -> Fault | None:
    if isinstance(error, HostError):
        return Fault(error.problem, error.fix, error.exit)
    for kind in type(error).__mro__:
        if found := KNOWN.get(f"{kind.__module__}.{kind.__qualname__}"):
            exit_code, next_step = found
            return Fault(str(error).strip() or kind.__name__, next_step, exit_code)
    return None

"""The check `http`: a service is asked again, and its answer is compared with what was wanted."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from autonomy.sdk.context import VerifierContext
from autonomy.sdk.errors import Permanent, Transient
from autonomy.sdk.evidence import Check, Verdict, check
from autonomy.skillfiles.outbound import Connected, Response
from autonomy.skillfiles.places import At, Values, checked, filled
from autonomy.skillfiles.requests import Asking, asking_of
from autonomy.skillfiles.shape import Http, HttpCheck

_SHOWN = 300


@dataclass(frozen=True)
class Wanted:
    """What GET should answer."""

    status: int
    contains: str
    fields: Mapping[str, Any]

    @property
    def told(self) -> str:
        """In words."""
        parts = [f"status {self.status}", self.contains and repr(self.contains)]
        if self.fields:
            parts.append(json.dumps(self.fields, ensure_ascii=False, sort_keys=True)[:_SHOWN])
        return " and ".join(filter(None, parts))

    def met_by(self, response: Response) -> bool:
        """Whether the answer has all of it."""
        return (
            response.status == self.status
            and self.contains in response.text
            and _has(response.text, self.fields)
        )


@dataclass(frozen=True)
class AskingAgain:
    """A GET with places for values, and what it should answer."""

    asking: Asking
    expected: HttpCheck

    def look(self, _: VerifierContext, values: Values) -> Check:
        """Ask, and compare. No answer at all says neither yes nor no."""
        expected = filled(
            {"contains": self.expected.contains, "json": self.expected.fields}, values
        )
        wanted = Wanted(self.expected.status, str(expected["contains"]), expected["json"])
        looked_at = f"GET {self.asking.http.url}"
        try:
            request = self.asking.request(values)
            looked_at = f"GET {request.url}"
            response = Connected(request).send()
        except (Permanent, Transient) as error:
            return Check(
                looked_at=looked_at,
                expected=wanted.told,
                seen=str(error),
                verdict=Verdict.INCONCLUSIVE,
            )
        seen = f"status {response.status}: {response.text[:_SHOWN]}"
        return check(
            looked_at, expected=wanted.told, seen=wanted.told if wanted.met_by(response) else seen
        )


def asking_again_of(
    given: HttpCheck, places: frozenset[str], hosts: frozenset[str], at: At
) -> AskingAgain:
    """The check that a file declares; raises BadSkillFile."""
    checked({"contains": given.contains, "json": given.fields}, places, at)
    http = Http(
        url=given.url,
        query=given.query,
        headers=given.headers,
        local=given.local,
        timeout=given.timeout,
    )
    return AskingAgain(asking_of(http, places, hosts, at), given)


def _has(text: str, fields: Mapping[str, Any]) -> bool:
    if not fields:
        return True
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(found, dict) and all(
        name in found and found[name] == value for name, value in fields.items()
    )

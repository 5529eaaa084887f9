"""Secrets taken out of what a session says, before anything of it is stored or shown.

What is shown is cleaned by value, name and form: output, errors, plans, evidence. What other tasks
go on with is data: of results only the values that are known to be secret are taken out, because a
word that merely looks like one may be what a task is about. Arguments stay as they are: an approval
binds their exact bytes.
"""

import logging
from typing import Any

from autonomy.domain.redaction import Redactor, given_secrets
from autonomy.domain.states import ErrorClass
from autonomy.node.services.workplace import Node
from autonomy.sessions.orders import End, Order, Purpose, Report

logger = logging.getLogger(__name__)


def known_to(node: Node, order: Order) -> Redactor:
    """Knows the secrets of the installation, and those this session was given."""
    return node.known().also(given_secrets(order.args))


def clean(report: Report, order: Order, node: Node) -> Report:
    """The report without secrets; one that cannot be cleaned says nothing at all."""
    try:
        return _clean(report, order, known_to(node, order))
    except Exception:
        logger.exception("what session %s said could not be cleaned", order.session_id)
        words = "what the session said could not be cleaned of secrets"
        return Report(ended=End.FAILED, error_class=ErrorClass.PERMANENT, error=words)


def _clean(report: Report, order: Order, hide: Redactor) -> Report:
    return report.model_copy(
        update={
            "error": hide.text(report.error),
            "output": hide.text(report.output),
            "result": _result(report.result, order.purpose, hide),
        }
    )


def _result(result: Any, purpose: Purpose, hide: Redactor) -> Any:
    if purpose is Purpose.VERIFY:
        return hide.value(result)
    if purpose is Purpose.PREFLIGHT and isinstance(result, dict) and "plan" in result:
        return {**result, "plan": hide.value(result["plan"])}  # hashes of what it read stay exact
    return hide.known(result)

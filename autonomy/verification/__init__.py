"""A library of verifiers: each looks at one thing in the world and answers with a check (C-21).

None raises for what the world may look like. Where it clearly says no, the check is refuted; where
it could not be looked at, inconclusive.
"""

from autonomy.sdk.evidence import all_of, any_of, check, eventually, undecided
from autonomy.verification.command import command_answers
from autonomy.verification.files import file_contains, file_is, file_is_fresh, sha256_of
from autonomy.verification.gitrefs import NoSuchRepository, commit_of, ref_contains, ref_is
from autonomy.verification.http import http_answers
from autonomy.verification.imap import Mailbox, message_in_folder
from autonomy.verification.jsonfile import json_matches
from autonomy.verification.junit import BadReport, Report, junit_is_of, read_junit
from autonomy.verification.ports import (
    port_is_closed,
    port_is_open,
    process_is_gone,
    process_runs,
)
from autonomy.verification.rows import count_is, rows_are
from autonomy.verification.smtplog import message_is_delivered

__all__ = [
    "BadReport",
    "Mailbox",
    "NoSuchRepository",
    "Report",
    "all_of",
    "any_of",
    "check",
    "command_answers",
    "commit_of",
    "count_is",
    "eventually",
    "file_contains",
    "file_is",
    "file_is_fresh",
    "http_answers",
    "json_matches",
    "junit_is_of",
    "message_in_folder",
    "message_is_delivered",
    "port_is_closed",
    "port_is_open",
    "process_is_gone",
    "process_runs",
    "read_junit",
    "ref_contains",
    "ref_is",
    "rows_are",
    "sha256_of",
    "undecided",
]

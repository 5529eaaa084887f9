"""A library of verifiers: each looks at one thing in the world and answers with a check (C-21)."""

from autonomy.verification.command import command_answers
from autonomy.verification.files import file_is, file_is_fresh, sha256_of
from autonomy.verification.gitrefs import NoSuchRepository, commit_of, ref_is
from autonomy.verification.jsonfile import json_matches
from autonomy.verification.junit import BadReport, Report, junit_is_of, read_junit
from autonomy.verification.rows import rows_are

__all__ = [
    "BadReport",
    "NoSuchRepository",
    "Report",
    "command_answers",
    "commit_of",
    "file_is",
    "file_is_fresh",
    "json_matches",
    "junit_is_of",
    "read_junit",
    "ref_is",
    "rows_are",
    "sha256_of",
]

"""The exit codes of `autonomy`, documented in docs/exit-codes.md."""

from enum import IntEnum


class Exit(IntEnum):
    """How a command ended."""

    OK = 0
    FAILED = 1
    USAGE = 2
    SETTING = 3
    SERVER = 4
    RUNNING = 5
    STOPPED = 6
    HOME = 7
    SECRET = 8
    REFUSED = 9
    MISSING = 10
    UNSOUND = 11
    TIMEOUT = 12
    NOT_DONE = 13
    INTERRUPTED = 130


MEANINGS: dict[Exit, str] = {
    Exit.OK: "It worked.",
    Exit.FAILED: "Something unforeseen went wrong; the message and the log say what.",
    Exit.USAGE: "The command was not understood: an unknown option, a missing argument.",
    Exit.SETTING: "A setting cannot be used; the message names it and the fix.",
    Exit.SERVER: "PostgreSQL or Redis cannot be started, reached or used.",
    Exit.RUNNING: "Another `autonomy up` already runs on this home.",
    Exit.STOPPED: "The platform does not run on this home.",
    Exit.HOME: "The home folder cannot be written, or its disk is full.",
    Exit.SECRET: "The secrets are not the ones this database was set up with.",
    Exit.REFUSED: "The platform said no: not allowed, already decided, not valid.",
    Exit.MISSING: "There is no such task, approval, node, skill or file.",
    Exit.UNSOUND: "A check found something wrong: `doctor`, `ledger verify`, `replay`.",
    Exit.TIMEOUT: "What was waited for did not happen in time.",
    Exit.NOT_DONE: "What was waited for ended otherwise: failed, rejected, cancelled or expired.",
    Exit.INTERRUPTED: "Ended by Ctrl-C.",
}

"""Becomes another program, under another account, that ends when its parent does.

Run as a script by a bare interpreter: UID GID PARENT SIGNAL PROGRAM ARGUMENT...
"""

import ctypes
import os
import sys

_PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> None:
    """Drop privileges, bind the life to the parent's, become the program."""
    uid, gid, parent, ending = map(int, arguments[:4])
    program = arguments[4:]
    if uid >= 0:
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    os.umask(0o077)
    if sys.platform == "linux":
        # After setuid, which clears it.
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, ending)
    if os.getppid() != parent:
        sys.exit("the parent is gone")
    os.execv(program[0], program)  # noqa: S606


if __name__ == "__main__":
    main(sys.argv[1:])

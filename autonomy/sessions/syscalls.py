"""The system calls that no session needs, by their numbers on each kind of machine (C-18)."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Machine:
    """How the kernel counts on one kind of processor."""

    audit: int
    """What the kernel calls the native way of making system calls."""
    numbers: dict[str, int]
    last: int = 0x3FFF_FFFF
    """Above it x86_64 counts in another way, which would slip past the filter."""


# name: x86_64, aarch64; 0 where the call does not exist.
_DENIED: dict[str, tuple[int, int]] = {
    # other processes
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "kcmp": (312, 272),
    "pidfd_getfd": (438, 438),
    # the tree of files, and what is around the session
    "chroot": (161, 51),
    "pivot_root": (155, 41),
    "mount": (165, 40),
    "umount2": (166, 39),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "mount_setattr": (442, 442),
    "open_tree_attr": (467, 467),
    "open_by_handle_at": (304, 265),
    "fanotify_init": (300, 262),
    "quotactl": (179, 60),
    "quotactl_fd": (443, 443),
    "unshare": (272, 97),
    "setns": (308, 268),
    # large parts of the kernel that hold nothing a session needs
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "memfd_secret": (447, 447),
    "lookup_dcookie": (212, 18),
    "uselib": (134, 0),
    "_sysctl": (156, 0),
    "modify_ldt": (154, 0),
    # memory of the kernel that no limit of a session counts
    "msgget": (68, 186),
    "semget": (64, 190),
    # the machine
    "acct": (163, 89),
    "settimeofday": (164, 170),
    "clock_settime": (227, 112),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "reboot": (169, 142),
    "sethostname": (170, 161),
    "setdomainname": (171, 162),
    "iopl": (172, 0),
    "ioperm": (173, 0),
    "create_module": (174, 0),
    "init_module": (175, 105),
    "delete_module": (176, 106),
    "get_kernel_syms": (177, 0),
    "query_module": (178, 0),
    "finit_module": (313, 273),
    "nfsservctl": (180, 42),
    "kexec_load": (246, 104),
    "kexec_file_load": (320, 294),
    "syslog": (103, 116),
    "vhangup": (153, 58),
}
# Programs try these and do without where the kernel is too old for them.
_ABSENT: dict[str, tuple[int, int]] = {
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "clone3": (435, 435),  # its flags are out of the filter's sight; `clone` is used instead
    "statmount": (457, 457),
    "listmount": (458, 458),
}
# Looked at more closely.
_CHECKED: dict[str, tuple[int, int]] = {
    "clone": (56, 220),
    "socket": (41, 198),
    "socketpair": (53, 199),
    "shmget": (29, 194),
}

SETTING_UP = frozenset({*_CHECKED, "clone3", "mount", "mount_setattr", "setns", "unshare"})
"""What a zygote needs to cut a session off, and no session any more."""

DENIED = frozenset(_DENIED)
ABSENT = frozenset(_ABSENT)


def _numbers(column: int) -> dict[str, int]:
    every = _DENIED | _ABSENT | _CHECKED
    return {name: both[column] for name, both in every.items() if both[column]}


MACHINES = {
    "x86_64": Machine(0xC000_003E, _numbers(0)),
    "aarch64": Machine(0xC000_00B7, _numbers(1)),
}

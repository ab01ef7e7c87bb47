"""The system calls that programs may not make, as a filter for Linux' seccomp.

Without `socket` there is no network, whatever else the system allows. The others are ways to more
rights, to other processes, or into rarely used parts of the kernel.
"""

import errno
import os
import struct
from collections.abc import Mapping
from typing import Final

_LOAD: Final = 0x20
_IF_EQUAL: Final = 0x15
_IF_LEAST: Final = 0x35
_IF_ANY_BIT: Final = 0x45
_RETURN: Final = 0x06
_NUMBER, _MACHINE, _FIRST_ARGUMENT = 0, 4, 16
_ALLOW: Final = 0x7FFF0000
_KILL: Final = 0x80000000
_ERROR: Final = 0x00050000
_NAMESPACES: Final = 0x7E020000
_X32: Final = 0x40000000
_CLONE3: Final = 435
_MACHINES: Final[Mapping[str, tuple[int, int]]] = {
    "x86_64": (0xC000003E, 0),
    "aarch64": (0xC00000B7, 1),
}
"""What the kernel calls them, and their places in the table below."""
_CLONE: Final = (56, 220)
_REFUSED: Final[Mapping[str, tuple[int, int]]] = {
    "socket": (41, 198),
    "connect": (42, 203),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "unshare": (272, 97),
    "setns": (308, 268),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "keyctl": (250, 219),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "userfaultfd": (323, 282),
    "kexec_load": (246, 104),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "open_by_handle_at": (304, 265),
    "swapon": (167, 224),
    "reboot": (169, 142),
    "io_uring_setup": (425, 425),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsmount": (432, 432),
    "pidfd_getfd": (438, 438),
    "mount_setattr": (442, 442),
}
_OTHER_PROCESSES: Final[Mapping[str, tuple[int, int]]] = {
    "clone": _CLONE,
    "fork": (57, _CLONE[1]),
    "vfork": (58, _CLONE[1]),
    "execve": (59, 221),
    "execveat": (322, 281),
    "kill": (62, 129),
    "tkill": (200, 130),
    "tgkill": (234, 131),
    "pidfd_open": (434, 434),
    "pidfd_send_signal": (424, 424),
}
"""What starts programs, processes and threads, or reaches those of others; not all have all."""


_RARE: Final = (
    *("io_uring_setup", "bpf", "perf_event_open", "userfaultfd"),
    *("keyctl", "add_key", "request_key"),
)
"""The first makes sockets, too, which no filter sees."""
_FAMILIES: Final = (1, 2, 10, 16)
"""Of files, of both internets, and of the kernel's messages, which tell programs of networks."""


def call_filter(machine: str | None = None, *, alone: bool = False) -> bytes | None:
    """The filter for a machine, by default this one; None if its system calls are not known.

    A process that is to be `alone` starts nothing and sends no signals.
    """
    found = _MACHINES.get(machine or os.uname().machine)
    if found is None:
        return None
    identity, place = found
    refused = {**_REFUSED, **_OTHER_PROCESSES} if alone else _REFUSED
    return b"".join(
        (
            _step(_LOAD, _MACHINE),
            _step(_IF_EQUAL, identity, 1, 0),
            _step(_RETURN, _KILL),
            _step(_LOAD, _NUMBER),
            _step(_IF_LEAST, _X32, 0, 1),
            _step(_RETURN, _ERROR | errno.EPERM),
            *(_refused(numbers[place], errno.EPERM) for numbers in refused.values()),
            _refused(_CLONE3, errno.ENOSYS),  # its flags cannot be read here; clone is used then
            _step(_IF_EQUAL, _CLONE[place], 0, 3),
            _step(_LOAD, _FIRST_ARGUMENT),
            _step(_IF_ANY_BIT, _NAMESPACES, 0, 1),
            _step(_RETURN, _ERROR | errno.EPERM),
            _step(_RETURN, _ALLOW),
        )
    )


def family_filter(machine: str | None = None) -> bytes | None:
    """The filter for programs that have sockets of these families, and no rare parts of the kernel.

    Sockets of others, as those between a virtual machine and its host, belong to no namespace of
    networks. None if the system calls of the machine are not known.
    """
    found = _MACHINES.get(machine or os.uname().machine)
    if found is None:
        return None
    identity, place = found
    return b"".join(
        (
            _step(_LOAD, _MACHINE),
            _step(_IF_EQUAL, identity, 1, 0),
            _step(_RETURN, _KILL),
            _step(_LOAD, _NUMBER),
            _step(_IF_LEAST, _X32, 0, 1),
            _step(_RETURN, _ERROR | errno.ENOSYS),
            *(_refused(_REFUSED[name][place], errno.ENOSYS) for name in _RARE),
            _step(_IF_EQUAL, _REFUSED["socket"][place], 1, 0),
            _step(_RETURN, _ALLOW),
            _step(_LOAD, _FIRST_ARGUMENT),
            *(_step(_IF_EQUAL, one, 0, 1) + _step(_RETURN, _ALLOW) for one in _FAMILIES),
            _step(_RETURN, _ERROR | errno.EAFNOSUPPORT),
        )
    )


def _refused(number: int, error: int) -> bytes:
    return _step(_IF_EQUAL, number, 0, 1) + _step(_RETURN, _ERROR | error)


def _step(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, value)

"""System calls of Linux that Python 3.11 has no functions for; all of them raise OSError."""

import ctypes
import errno
import os
import signal
from typing import Final

NEW_MOUNTS: Final = 0x00020000
NEW_NAMES: Final = 0x04000000
NEW_IPC: Final = 0x08000000
NEW_USERS: Final = 0x10000000
NEW_PROCESSES: Final = 0x20000000
NEW_NETWORK: Final = 0x40000000
READ_ONLY: Final = 1
NO_SET_ID: Final = 2
NO_DEVICES: Final = 4
_MOUNT_PRIVATE: Final = 0x44000
_MOUNT_BIND: Final = 0x5000
_DETACH: Final = 2
_RECURSIVE: Final = 0x8000
_AT_CWD: Final = -100
_MOUNT_SETATTR: Final = 442
_PIVOT_ROOT: Final = {"x86_64": 155, "aarch64": 41}
_PR_SET_PDEATHSIG: Final = 1
_PR_SET_SECCOMP: Final = 22
_PR_SET_CHILD_SUBREAPER: Final = 36
_PR_SET_NO_NEW_PRIVS: Final = 38
_FILTER: Final = 2


def call(name: str, *values: object) -> int:
    """Call a function of the C library that answers -1 for an error. Raises OSError."""
    # Looked up here, because the library of another system has other functions.
    function = getattr(ctypes.CDLL(None, use_errno=True), name, None)
    if function is None:
        raise OSError(errno.ENOSYS, f"{name}: {os.strerror(errno.ENOSYS)}")
    result: int = function(*values)
    if result == -1:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")
    return result


def _number(value: int) -> ctypes.c_long:
    return ctypes.c_long(value)


def unshare(namespaces: int) -> None:
    """Leave these namespaces for new ones; that of processes is the children's."""
    call("unshare", ctypes.c_int(namespaces))


def make_mounts_private() -> None:
    """What is mounted from now on is not seen outside."""
    _mount(None, "/", None, _MOUNT_PRIVATE, None)


def mount(kind: str, target: str, options: str = "") -> None:
    """Mount a new file system, without set-id programs and devices."""
    _mount(kind, target, kind, NO_SET_ID | NO_DEVICES, options)


def bind(source: str, target: str, attributes: int) -> None:
    """Show `source`, and what is mounted in it, at `target` too."""
    _mount(source, target, None, _MOUNT_BIND, None)
    wanted = (ctypes.c_uint64 * 4)(attributes, 0, 0, 0)
    call(
        "syscall",
        _number(_MOUNT_SETATTR),
        _number(_AT_CWD),
        target.encode(),
        _number(_RECURSIVE),
        wanted,
        _number(ctypes.sizeof(wanted)),
    )


def change_root(folder: str) -> None:
    """Make a mounted directory the root, and let go of the old one."""
    os.chdir(folder)
    call("syscall", _number(_PIVOT_ROOT[os.uname().machine]), b".", b".")
    call("umount2", b".", ctypes.c_int(_DETACH))
    os.chdir("/")


def die_with_parent() -> None:
    """This process is killed when the thread that started it ends."""
    _prctl(_PR_SET_PDEATHSIG, _number(int(signal.SIGKILL)))


def adopt_orphans() -> None:
    """What is started below becomes a child of this process when its own parent ends."""
    _prctl(_PR_SET_CHILD_SUBREAPER, _number(1))


def gain_nothing() -> None:
    """No program that is executed from now on has more rights than this one."""
    _prctl(_PR_SET_NO_NEW_PRIVS, _number(1))


def filter_calls(program: bytes) -> None:
    """Have the kernel ask this filter, of 8 bytes an instruction, about each system call."""

    class Program(ctypes.Structure):
        _fields_ = (("length", ctypes.c_ushort), ("first", ctypes.c_char_p))

    given = Program(len(program) // 8, program)
    _prctl(_PR_SET_SECCOMP, _number(_FILTER), ctypes.byref(given))


def has_filters() -> bool:
    """Whether the kernel has filters of system calls: it then looks for the one at address 0."""
    try:
        _prctl(_PR_SET_SECCOMP, _number(_FILTER), None)
    except OSError as error:
        return error.errno == errno.EFAULT
    return True


def _prctl(what: int, *values: object) -> None:
    rest = [_number(0)] * (4 - len(values))
    call("prctl", ctypes.c_int(what), *values, *rest)


def _mount(
    source: str | None, target: str, kind: str | None, flags: int, options: str | None
) -> None:
    call(
        "mount",
        None if source is None else source.encode(),
        target.encode(),
        None if kind is None else kind.encode(),
        ctypes.c_ulong(flags),
        None if options is None else options.encode(),
    )

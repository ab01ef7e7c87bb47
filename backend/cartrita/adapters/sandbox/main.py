"""The process that makes a sandbox and runs a program in it: `python -I -m ...main ORDER`.

With namespaces it is three processes: this one, which waits; the first of the new namespace, with
which all others end; and the program.
"""

import os
import signal
import sys
from contextlib import suppress
from math import ceil
from pathlib import Path
from typing import Final, NoReturn

import msgspec

from cartrita.adapters.processes import landlock, system_calls
from cartrita.adapters.processes.bounds import ProcessBounds, apply
from cartrita.adapters.processes.call_filter import call_filter
from cartrita.adapters.processes.descriptors import close_inherited
from cartrita.adapters.processes.system_calls import (
    NEW_IPC,
    NEW_MOUNTS,
    NEW_NAMES,
    NEW_NETWORK,
    NEW_PROCESSES,
    NEW_USERS,
)
from cartrita.adapters.processes.walls import LINKER_CACHE
from cartrita.adapters.sandbox.file_system import (
    DEVICES,
    PYTHON,
    SYSTEM,
    WORK,
    build_root,
    enter_root,
    write_program,
)
from cartrita.adapters.sandbox.orders import (
    PROGRAM,
    EndedLine,
    FailedLine,
    ReportLine,
    SandboxOrder,
)

_NAMESPACES: Final = NEW_NETWORK | NEW_MOUNTS | NEW_PROCESSES | NEW_IPC | NEW_NAMES
_GRACE_S: Final = 10
_FAILED: Final = 125
_OF_SIGNAL: Final = 128
_FAILURES: Final = (OSError, ValueError, KeyError)
"""Of the system, of limits that are lower already, and of machines that are not known."""


def main() -> None:
    """Run the program on standard input, and report how it ended on standard error."""
    close_inherited()
    order = msgspec.json.decode(sys.argv[1], type=SandboxOrder)
    program = sys.stdin.buffer.read()
    signal.alarm(ceil(order.bounds.seconds) + _GRACE_S)
    try:
        if order.namespaces:
            _run_inside(order, program)
        else:
            _run_beside(order, program)
    except _FAILURES as error:
        _report(FailedLine(str(error)))


def _run_inside(order: SandboxOrder, program: bytes) -> None:
    """Run the program in namespaces of its own, of which the first process reports."""
    folder = Path(order.folder)
    if os.geteuid():
        _become_user_of_namespace()
    else:
        system_calls.unshare(_NAMESPACES)
    _watch_parent(order)
    build_root(folder, order.bounds.disk_bytes, order.hidden)
    write_program(folder / WORK, program)
    first = os.fork()
    if not first:
        _be_first_process(order, folder)
    _status_of(first)


def _become_user_of_namespace() -> None:
    """Take namespaces in which this user may mount, and is still itself."""
    user, group = os.geteuid(), os.getegid()
    system_calls.unshare(_NAMESPACES | NEW_USERS)
    Path("/proc/self/setgroups").write_text("deny", "ascii")
    Path("/proc/self/uid_map").write_text(f"{user} {user} 1", "ascii")
    Path("/proc/self/gid_map").write_text(f"{group} {group} 1", "ascii")


def _be_first_process(order: SandboxOrder, folder: Path) -> NoReturn:
    """Start the program and wait for it; what it leaves behind ends with this process."""
    try:
        system_calls.die_with_parent()
        enter_root(folder)
        program = os.fork()
        if not program:
            _become_program(order, f"/{WORK}", order.bounds.processes)
        _report(EndedLine(_status_of(program)))
    except _FAILURES as error:
        _report(FailedLine(str(error)))
    finally:
        os._exit(0)


def _run_beside(order: SandboxOrder, program: bytes) -> None:
    """Run the program where nothing but Landlock keeps it from the files of others.

    It can start no processes and threads: they could outlive it.
    """
    _watch_parent(order)
    write_program(Path(order.folder), program)
    if order.user_id is not None:
        os.chown(order.folder, order.user_id, order.user_id)
    child = os.fork()
    if not child:
        _become_program(order, order.folder, 0 if order.user_id is None else 1)
    _report(EndedLine(_status_of(child)))


def _become_program(order: SandboxOrder, folder: str, processes: int) -> NoReturn:
    """Give up all rights, and execute the program."""
    reports = os.dup(2)
    try:
        os.chdir(folder)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.dup2(1, 2)
        with suppress(OSError):  # there may be no /proc
            Path("/proc/self/oom_score_adj").write_text("1000", "ascii")
        apply(_bounds(order, processes))
        if order.user_id is not None:
            _become_user(order.user_id)
        system_calls.gain_nothing()
        system_calls.die_with_parent()  # a change of user forgets it
        if not order.namespaces:
            landlock.restrict((*SYSTEM, LINKER_CACHE), DEVICES, Path(folder))
        if (refused := call_filter()) is not None:
            system_calls.filter_calls(refused)
        os.execve(PYTHON, [PYTHON, "-I", "-X", "utf8", "-u", PROGRAM], {})  # noqa: S606 - it is Python
    except _FAILURES as error:
        os.write(reports, msgspec.json.encode(FailedLine(str(error))) + b"\n")
    finally:
        os._exit(_FAILED)


def _bounds(order: SandboxOrder, processes: int) -> ProcessBounds:
    return ProcessBounds(
        seconds=order.bounds.seconds,
        memory_bytes=order.bounds.memory_bytes,
        file_bytes=order.bounds.disk_bytes,
        processes=processes,
    )


def _become_user(number: int) -> None:
    os.setgroups(())
    os.setresgid(number, number, number)
    os.setresuid(number, number, number)


def _watch_parent(order: SandboxOrder) -> None:
    """End with the server, even if it has ended already."""
    system_calls.die_with_parent()
    if os.getppid() != order.parent:
        os._exit(_FAILED)


def _status_of(child: int) -> int:
    """Wait for the child, and for others that end before it."""
    while True:
        ended, raw = os.wait()
        if ended == child:
            code = os.waitstatus_to_exitcode(raw)
            return code if code >= 0 else _OF_SIGNAL - code


def _report(line: ReportLine) -> None:
    sys.stderr.buffer.write(msgspec.json.encode(line) + b"\n")
    sys.stderr.buffer.flush()


if __name__ == "__main__":
    main()

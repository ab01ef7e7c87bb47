"""The process that shuts itself in and then becomes a program: `python -I -m ...launcher ORDER`."""

import os
import sys
from pathlib import Path
from typing import Final

import msgspec

from cartrita.adapters.processes import landlock, system_calls
from cartrita.adapters.processes.bounds import ProcessBounds, apply
from cartrita.adapters.processes.call_filter import call_filter
from cartrita.adapters.processes.descriptors import close_inherited
from cartrita.adapters.processes.walls import LIBRARIES, LINKER_CACHE

NOT_STARTED: Final = 125
"""The status of a program that could not be executed."""
_DEVICES: Final = tuple(map(Path, ("/dev/null", "/dev/urandom")))


class LaunchOrder(msgspec.Struct, frozen=True):
    """The program, by its path, and its arguments; the files that it may read beside libraries."""

    command: tuple[str, ...]
    bounds: ProcessBounds
    readable: tuple[str, ...] = ()


def main() -> None:
    """Become the program, without a network, and without files that it was not given."""
    close_inherited()
    order = msgspec.json.decode(sys.argv[1], type=LaunchOrder)
    program = Path(order.command[0])
    try:
        apply(order.bounds)
        _shut_in(program, tuple(map(Path, order.readable)))
        os.execve(program, order.command, {"LC_ALL": "C.UTF-8"})  # noqa: S606 - no shell is wanted
    except OSError:
        os._exit(NOT_STARTED)


def _shut_in(program: Path, readable: tuple[Path, ...]) -> None:
    system_calls.gain_nothing()
    system_calls.die_with_parent()
    landlock.restrict((*LIBRARIES, LINKER_CACHE, program, *readable), _DEVICES)
    if (refused := call_filter()) is not None:
        system_calls.filter_calls(refused)


if __name__ == "__main__":
    main()

"""Linux' Landlock: which files a process may use, and what it may reach, without namespaces."""

import ctypes
import os
import struct
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from cartrita.adapters.processes import system_calls

SIGNALS_SCOPED: Final = 6
"""From this version on, processes outside can be sent no signals."""
_CREATE, _ADD, _RESTRICT = 444, 445, 446
_ASK_VERSION: Final = 1
_BENEATH: Final = 1
_FILE_RIGHTS: Final = 0b1100_0000_0000_0111
"""Execute, write, read; truncate, and control of devices."""
_READING: Final = 0b1101
"""Execute, read files and directories."""
_SPECIAL_FILES: Final = 0b1010_0100_0000
"""Devices of characters and of blocks, and sockets."""
_ALL_TCP: Final = 0b11
_ALL_SCOPES: Final = 0b11
_RIGHTS: Final = (0, (1 << 13) - 1, (1 << 14) - 1, (1 << 15) - 1, (1 << 15) - 1)
"""By version, the rights of files that it knows; those of later ones are all of 16 bits."""
_LATEST_RIGHTS: Final = (1 << 16) - 1


def version() -> int:
    """Of the kernel; 0 where there is none."""
    try:
        return _call(_CREATE, None, 0, _ASK_VERSION)
    except OSError:
        return 0


def restrict(
    readable: Iterable[Path], devices: Iterable[Path] = (), own: Path | None = None
) -> None:
    """Let this process use these files only, and no TCP, as far as the kernel can keep it from it.

    It reads what is `readable`, uses `devices` and does all in its `own` directory, if any. Needs
    `gain_nothing` before. Does nothing where there is no Landlock. Raises OSError.
    """
    if not (known := version()):
        return
    handled = _RIGHTS[known] if known < len(_RIGHTS) else _LATEST_RIGHTS
    network = _ALL_TCP if known >= 4 else 0
    scopes = _ALL_SCOPES if known >= SIGNALS_SCOPED else 0
    given = struct.pack("=QQQ", handled, network, scopes)
    size = 8 if not network else 16 if not scopes else 24
    rules = _call(_CREATE, given[:size], size, 0)
    try:
        for path in readable:
            _allow(rules, path, _READING & handled)
        for path in devices:
            _allow(rules, path, _FILE_RIGHTS & handled)
        if own is not None:
            _allow(rules, own, handled & ~_SPECIAL_FILES)
        _call(_RESTRICT, rules, 0)
    finally:
        os.close(rules)


def _allow(rules: int, path: Path, rights: int) -> None:
    """Give these rights beneath a path, if it is there."""
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        if not path.is_dir():
            rights &= _FILE_RIGHTS
        _call(_ADD, rules, _BENEATH, struct.pack("=Qi", rights, place), 0)
    finally:
        os.close(place)


def _call(number: int, *values: int | bytes | None) -> int:
    given = [ctypes.c_long(one) if isinstance(one, int) else one for one in values]
    return system_calls.call("syscall", ctypes.c_long(number), *given)

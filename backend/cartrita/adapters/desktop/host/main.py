"""The process of a desktop: `python -I -m cartrita.adapters.desktop.host.main ORDER`.

It is two processes. This one, the keeper, holds the folder, and waits for the other to end, which
is the host and the first of its namespace: when that is killed, all below it is. Each clears up
when the other is killed, and both end when their standard input does, with the server.
"""

import asyncio
import os
import sys
from pathlib import Path
from typing import Final, NoReturn

import msgspec

from cartrita.adapters.desktop import folders, remnants
from cartrita.adapters.desktop.host import containers, lineage, namespaces
from cartrita.adapters.desktop.host.life import live
from cartrita.adapters.desktop.orders import HostEnded, HostLine, HostOrder, HostReady
from cartrita.adapters.processes import system_calls
from cartrita.adapters.processes.descriptors import close_inherited
from cartrita.domain.desktop import DesktopIsolation

_STDIN: Final = 0
_FAILED: Final = 1


def main() -> None:
    """Keep one desktop."""
    close_inherited()
    order = msgspec.json.decode(sys.argv[1], type=HostOrder)
    if reason := _shortcoming(order):
        _tell(HostEnded(reason))
        return
    try:
        folders.claim(Path(order.folder))
    except OSError as error:
        _tell(HostEnded(f"Its folder cannot be made: {error}."))
        return
    try:
        life, alive = os.pipe()
        system_calls.gain_nothing()
        if order.isolation is DesktopIsolation.BUBBLEWRAP:
            namespaces.leave(network=order.spec.network)
        else:
            system_calls.adopt_orphans()
        host = os.fork()
        if not host:
            os.close(alive)
            _be_host(order, life)
    except OSError as error:
        _tell(HostEnded(f"It cannot be started here: {error}."))
    else:
        _let_streams_go()
        os.waitpid(host, 0)
    _clear(order)


def _shortcoming(order: HostOrder) -> str | None:
    """Why no desktop is to be started where this process is."""
    if order.isolation is DesktopIsolation.CONTAINER:
        return containers.shortcoming(Path(order.folder))
    return None


def _be_host(order: HostOrder, life: int) -> NoReturn:
    """Serve until the end, and leave nothing."""
    try:
        if order.isolation is DesktopIsolation.BUBBLEWRAP:
            namespaces.settle()
        else:
            system_calls.adopt_orphans()
        reason = asyncio.run(live(order, (_STDIN, life), lambda: _tell(HostReady())))
        _clear(order)
        _tell(HostEnded(reason))
    finally:
        os._exit(_FAILED)  # a driver whose display hangs would keep its thread


def _clear(order: HostOrder) -> None:
    lineage.end_all()
    folder = Path(order.folder)
    if order.isolation is not DesktopIsolation.BUBBLEWRAP:
        remnants.clear(folder.name)
    folders.remove(folder)


def _let_streams_go() -> None:
    """The standard streams are the host's alone."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)


def _tell(line: HostLine) -> None:
    try:
        os.write(1, msgspec.json.encode(line) + b"\n")
    except OSError:
        return  # nobody reads it any more


if __name__ == "__main__":
    main()

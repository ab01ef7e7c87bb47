"""One desktop from its start to its end: the X server, what runs on it, and the socket."""

import asyncio
import os
from asyncio.subprocess import Process
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, closing
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Final, Protocol, cast

from cartrita.adapters.desktop import folders
from cartrita.adapters.desktop.host import memory
from cartrita.adapters.desktop.host.driving import Driver
from cartrita.adapters.desktop.host.enclosures import enclosure
from cartrita.adapters.desktop.host.gate import Gate
from cartrita.adapters.desktop.host.hands import Eyes, Hands
from cartrita.adapters.desktop.host.reasons import FirstReason
from cartrita.adapters.desktop.host.requests import Requests
from cartrita.adapters.desktop.host.screens import prepare, programs, screen
from cartrita.adapters.desktop.host.viewers import Viewers
from cartrita.adapters.desktop.orders import HostOrder
from cartrita.domain.errors import CartritaError

_X_MODULE: Final = "cartrita.adapters.desktop.host.drivers"
_MOST_WAITING: Final = 2048
"""So many connections at once are made before one is refused: each request is one."""
_OVER: Final = "It ran as long as a desktop may."
_X_ENDED: Final = "Its X server has ended."
_PROGRAMS_ENDED: Final = "Its window manager has ended, and was started again too often."


class _XModule(Protocol):
    """The module that has to do with python-xlib, which takes long to be loaded."""

    def drivers(self, display: str, settle_s: float) -> tuple[Driver, Driver]:
        """Hands and eyes, when a window manager has begun on the display. Blocks."""
        ...


async def live(order: HostOrder, pipes: tuple[int, ...], ready: Callable[[], None]) -> str:
    """Run the desktop until it ends: why it did. `ready` is called when it can be used.

    It ends when nobody can write to one of the `pipes` any more.
    """
    ending = FirstReason()
    ending.with_pipes(pipes)
    async with asyncio.TaskGroup() as tasks:
        work = tasks.create_task(_run(order, ending, ready))
        reason = await ending.wait()
        work.cancel()
    return reason


async def _run(order: HostOrder, ending: FirstReason, ready: Callable[[], None]) -> None:
    """Start it, and keep it until cancelled."""
    try:
        async with asyncio.timeout(order.spec.start_timeout_s) as starting:
            async with _served(order, ending):
                starting.reschedule(None)
                if order.spec.lifetime_s is not None:
                    loop = asyncio.get_running_loop()
                    loop.call_later(order.spec.lifetime_s, ending.because, _OVER)
                ready()
                await ending.wait()
    except* TimeoutError:
        ending.because(f"It did not start within {order.spec.start_timeout_s:g} seconds.")
    except* CartritaError as failed:
        ending.because(_told(failed))
    except* OSError as failed:
        ending.because(f"It cannot be started here: {_told(failed)}.")


def _told(error: BaseException) -> str:
    """What a failure says, or the first of a group does."""
    while isinstance(error, BaseExceptionGroup):
        error = cast("BaseExceptionGroup[BaseException]", error).exceptions[0]
    return error.message if isinstance(error, CartritaError) else str(error)


@asynccontextmanager
async def _served(order: HostOrder, ending: FirstReason) -> AsyncGenerator[None]:
    """The desktop, and its socket: who can connect can use it."""
    walls = enclosure(order)
    prepare(order, walls)
    async with asyncio.TaskGroup() as tasks:
        loading = tasks.create_task(asyncio.to_thread(import_module, _X_MODULE))
        async with (
            screen(order, walls) as (x_server, display),
            programs(order, walls, display) as window_manager,
        ):
            watches = (
                tasks.create_task(_watch(x_server, _X_ENDED, ending)),
                tasks.create_task(_watch(window_manager, _PROGRAMS_ENDED, ending)),
                tasks.create_task(memory.watch(order.spec.memory_bytes, order.isolation)),
            )
            try:
                make = cast("_XModule", await loading).drivers
                drivers = await asyncio.to_thread(make, display, order.spec.settle_s)
                requests = _requests(order, drivers, partial(Viewers, walls, display), ending)
                with closing(await _listening(requests, Path(order.folder))):
                    yield
            finally:
                for watch in watches:  # what ends from now on is not why
                    watch.cancel()


def _requests(
    order: HostOrder,
    drivers: tuple[Driver, Driver],
    viewers: Callable[[Gate, Hands], Viewers],
    ending: FirstReason,
) -> Requests:
    hand, eye = drivers
    timeout_s = order.spec.action_timeout_s
    hands = Hands(hand, timeout_s, lambda: ending.because("Its display does not answer."))
    gate = Gate(hands.let_go)
    return Requests(hands, Eyes(eye, timeout_s), gate, viewers(gate, hands), ending)


async def _listening(requests: Requests, folder: Path) -> asyncio.Server:
    with folders.socket_path(folder) as path:
        server = await asyncio.start_unix_server(requests.serve, path, backlog=_MOST_WAITING)
        os.chmod(path, 0o600)
        os.chown(path, os.stat(folder).st_uid, -1)  # who is root in a container is not its user
    return server


async def _watch(process: Process, reason: str, ending: FirstReason) -> None:
    await process.wait()
    ending.because(reason)

"""Why a desktop has ended is told by what has ended it, and many may ask one at once."""

import asyncio
import os
import socket
import stat
from asyncio.subprocess import Process
from collections.abc import AsyncGenerator
from contextlib import ExitStack, asynccontextmanager, closing
from pathlib import Path
from threading import Event
from types import SimpleNamespace
from typing import cast

import pytest
from tests.harness.desktop_worker import spec

from cartrita.adapters.desktop.host import life
from cartrita.adapters.desktop.host.enclosures import Command
from cartrita.adapters.desktop.host.requests import Requests
from cartrita.adapters.desktop.host.screens import running
from cartrita.adapters.desktop.orders import SOCKET, HostOrder
from cartrita.domain.desktop import DesktopIsolation


@asynccontextmanager
async def program(*_: object) -> AsyncGenerator[Process]:
    async with running(Command(["/bin/sleep", "600"])) as process:
        yield process


@asynccontextmanager
async def screen(*_: object) -> AsyncGenerator[tuple[Process, str]]:
    async with program() as process:
        yield process, ":0"


def nothing(*_: object) -> None:
    """Nothing is prepared."""


async def for_long(*_: object) -> None:
    await asyncio.sleep(600)


async def test_one_that_takes_too_long_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    given_up = Event()
    monkeypatch.setattr(life, "prepare", nothing)
    monkeypatch.setattr(life, "screen", screen)
    monkeypatch.setattr(life, "programs", program)
    monkeypatch.setattr(life.memory, "watch", for_long)

    def hang(*_: object) -> None:
        given_up.wait()

    def loaded(_: str) -> SimpleNamespace:
        return SimpleNamespace(drivers=hang)

    monkeypatch.setattr(life, "import_module", loaded)
    order = HostOrder(
        folder=str(tmp_path),
        spec=spec(start_timeout_s=0.5),
        isolation=DesktopIsolation.PLAIN,
    )
    server, alive = os.pipe()
    try:
        async with asyncio.timeout(60):
            reason = await life.live(order, (server,), lambda: None)
    finally:
        given_up.set()
        asyncio.get_running_loop().remove_reader(server)
        os.close(server)
        os.close(alive)
    assert reason == "It did not start within 0.5 seconds."


async def test_hundreds_may_ask_at_once(tmp_path: Path) -> None:
    requests = cast("Requests", SimpleNamespace(serve=nobody))
    server = await life._listening(requests, tmp_path)
    with ExitStack() as stack:
        stack.callback(server.close)
        for _ in range(300):
            asked = stack.enter_context(socket.socket(socket.AF_UNIX))
            asked.setblocking(False)
            asked.connect(str(tmp_path / SOCKET))  # nobody has accepted one of them yet


async def test_its_socket_is_for_the_user_whose_folder_it_is(tmp_path: Path) -> None:
    """Who is root in a container may make it for a server that is not."""
    user = 61_000 if os.geteuid() == 0 else os.geteuid()
    os.chown(tmp_path, user, -1)
    with closing(await life._listening(cast("Requests", SimpleNamespace(serve=nobody)), tmp_path)):
        made = (tmp_path / SOCKET).stat()
    assert (made.st_uid, stat.S_IMODE(made.st_mode)) == (user, 0o600)


async def nobody(*_: object) -> None:
    """Nothing is answered."""

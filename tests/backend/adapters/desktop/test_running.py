"""A desktop is gone only where nobody listens on its socket."""

import asyncio
import errno
import os
import struct
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from cartrita.adapters.desktop import folders, running
from cartrita.adapters.desktop.frames import MOST_SHOWN
from cartrita.adapters.desktop.orders import MOST_OCTETS
from cartrita.adapters.desktop.peers import Peer
from cartrita.adapters.desktop.running import ANSWER_S, RunningDesktop
from cartrita.domain.desktop import Screenshot
from cartrita.domain.desktop_errors import ActionBrokeOff, DesktopGone
from cartrita.domain.errors import Unavailable


@pytest.fixture
async def listener(tmp_path: Path) -> AsyncIterator[asyncio.Server]:
    with folders.socket_path(tmp_path) as path:
        server = await asyncio.start_unix_server(lambda _, writer: writer.close(), path)
    async with server:
        yield server


async def test_one_without_a_folder_a_socket_or_a_listener_is_gone(
    listener: asyncio.Server, tmp_path: Path
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    for folder in (tmp_path / "nowhere", empty):
        assert not await RunningDesktop(folder).answers()
        assert await RunningDesktop(folder).is_dead()
    listener.close()
    assert not await RunningDesktop(tmp_path).answers()
    assert await RunningDesktop(tmp_path).is_dead()
    with pytest.raises(DesktopGone):
        await RunningDesktop(tmp_path).look()


@pytest.mark.usefixtures("listener")
@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EACCES])
async def test_a_worker_that_cannot_ask_does_not_say_that_it_is_gone(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(_: str) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(asyncio, "open_unix_connection", refuse)
    for asked in (RunningDesktop(tmp_path).answers(), RunningDesktop(tmp_path).is_dead()):
        with pytest.raises(Unavailable, match=os.strerror(number)):
            await asked


@asynccontextmanager
async def host(
    folder: Path, *told: bytes, answer_s: float = ANSWER_S, deaf: int = 0
) -> AsyncGenerator[RunningDesktop]:
    """One that tells this to all but the first so many, and nothing more while it is asked."""
    connections: list[asyncio.StreamWriter] = []

    def tell(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(writer)
        if len(connections) > deaf:
            writer.writelines(told)

    with folders.socket_path(folder) as path:
        server = await asyncio.start_unix_server(tell, path)
    async with server:
        yield RunningDesktop(folder, answer_s)
        for writer in connections:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()


def framed(text: bytes) -> bytes:
    return struct.pack(">I", len(text)) + text


GRANTED = framed(b'{"type":"granted"}')
SEEN = b'{"type":"seen","picture":{"octets":%d,"width":%d,"height":2,"pointer":{"x":1,"y":1}}}'


@pytest.mark.parametrize(
    "told",
    [
        struct.pack(">I", (1 << 32) - 1),
        framed(SEEN % (MOST_OCTETS + 1, 2)),
        framed(SEEN % (9, 1 << 20)),
        framed(b'{"type":"refused","why":"action","message":"%s"}' % (b"x" * 10_000)),
        framed(b"no JSON"),
    ],
    ids=["frame", "picture", "size", "message", "format"],
)
async def test_no_more_is_read_than_a_host_of_ours_tells(told: bytes, tmp_path: Path) -> None:
    async with host(tmp_path, told) as desktop:
        with pytest.raises(DesktopGone):
            await desktop.look()


async def test_no_more_is_shown_to_a_viewer(tmp_path: Path) -> None:
    async with (
        host(tmp_path, GRANTED, struct.pack(">I", MOST_SHOWN + 1)) as desktop,
        desktop.view("ann") as viewer,
    ):
        assert await viewer.receive() == b""


async def test_another_who_listens_there_is_told_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stranger(_: object) -> Peer:
        return Peer(pid=1, uid=61_184, gid=61_184)

    monkeypatch.setattr(running, "peer", stranger)
    async with host(tmp_path) as desktop:
        with pytest.raises(DesktopGone):
            await desktop.keep({}, None)
        assert not await desktop.answers()


async def test_one_that_answers_runs(tmp_path: Path) -> None:
    async with host(tmp_path, GRANTED) as desktop:
        assert await desktop.answers()
        assert not await desktop.is_dead()


async def test_one_that_is_frozen_is_waited_for_by_nobody(tmp_path: Path) -> None:
    async with host(tmp_path, answer_s=0.01) as desktop:
        assert await desktop.is_dead()
        looks = desktop.answers(), desktop.look(), desktop.held_by()
        for asked in (*looks, desktop.take("ann", 60), desktop.let_go(), viewed(desktop)):
            with pytest.raises(Unavailable, match="did not answer in time"):
                await asked
        with pytest.raises(ActionBrokeOff, match="did not tell in time"):
            await desktop.act(Screenshot())


async def viewed(desktop: RunningDesktop) -> None:
    async with desktop.view("ann"):
        raise AssertionError("it is shown all the same")


async def test_who_may_have_stood_still_itself_asks_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert running._ALIVE_TRIES > 1
    monkeypatch.setattr(running, "_ALIVE_TRIES", 10_000)  # a busy machine needs more of them
    async with host(tmp_path, GRANTED, answer_s=0.05, deaf=1) as desktop:
        assert not await desktop.is_dead()

"""A desktop is gone only where nobody listens on its socket."""

import asyncio
import errno
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cartrita.adapters.desktop import folders
from cartrita.adapters.desktop.running import RunningDesktop
from cartrita.domain.errors import DesktopGone, Unavailable


@pytest.fixture
async def listener(tmp_path: Path) -> AsyncIterator[asyncio.Server]:
    with folders.socket_path(tmp_path) as path:
        server = await asyncio.start_unix_server(lambda _, writer: writer.close(), path)
    async with server:
        yield server


@pytest.mark.usefixtures("listener")
async def test_one_that_listens_runs(tmp_path: Path) -> None:
    assert await RunningDesktop(tmp_path).answers()


async def test_one_without_a_folder_a_socket_or_a_listener_is_gone(
    listener: asyncio.Server, tmp_path: Path
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    for folder in (tmp_path / "nowhere", empty):
        assert not await RunningDesktop(folder).answers()
    listener.close()
    assert not await RunningDesktop(tmp_path).answers()
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
    with pytest.raises(Unavailable, match=os.strerror(number)):
        await RunningDesktop(tmp_path).answers()

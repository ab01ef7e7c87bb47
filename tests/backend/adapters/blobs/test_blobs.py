"""Blobs: all of one or nothing, in a directory as in a bucket."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import obstore
import pytest
from obstore.store import MemoryStore
from tests.harness.scenario import until
from tests.harness.server import free_port

from cartrita.adapters.blobs.blobs import Blobs
from cartrita.adapters.blobs.stores import Bucket, open_bucket, open_directory
from cartrita.domain.errors import NotFound, TooLarge, Unavailable
from cartrita.kit.operator_error import OperatorError
from cartrita.kit.secret import Secret

SMALL, LARGE = b"hello", bytes(range(256)) * (48 << 10)  # 12 MiB, several parts

_FULL = """
import asyncio, os, resource, signal, sys
from pathlib import Path
from cartrita.adapters.blobs.stores import open_directory
from cartrita.domain.errors import StorageFull

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (3 << 20, 3 << 20))

async def pieces():
    for _ in range(12):
        yield bytes(1 << 20)

async def main():
    try:
        await open_directory(Path(sys.argv[1])).put("a", pieces())
    except StorageFull as error:
        print(error.message)

asyncio.run(main())
sys.stdout.flush()
os._exit(0)  # a thread of obstore's that ends after Python aborts the process
"""


async def pieces(content: bytes, error: Exception | None = None) -> AsyncIterator[bytes]:
    for start in range(0, len(content), 1 << 18):
        yield content[start : start + (1 << 18)]
    if error is not None:
        raise error


@pytest.fixture(params=["memory", "directory"])
def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> Blobs:
    return Blobs(MemoryStore()) if request.param == "memory" else open_directory(tmp_path / "files")


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


async def content_of(blobs: Blobs, name: str, start: int = 0, end: int | None = None) -> bytes:
    async with blobs.read(name, start, end) as found:
        return b"".join([piece async for piece in found])


@pytest.mark.parametrize("content", [b"", SMALL, LARGE], ids=len)
async def test_what_is_put_is_read(blobs: Blobs, content: bytes) -> None:
    await blobs.put("a", pieces(content))
    assert await content_of(blobs, "a") == content
    if content:
        assert await content_of(blobs, "a", 1, 4) == content[1:4]
    await blobs.remove(["a", "never there"])
    with pytest.raises(NotFound):
        await content_of(blobs, "a")


@pytest.mark.parametrize("content", [SMALL, LARGE], ids=len)
async def test_what_breaks_off_is_not_there(blobs: Blobs, content: bytes) -> None:
    with pytest.raises(TooLarge):
        await blobs.put("a", pieces(content, TooLarge("It is too long.")))
    with pytest.raises(NotFound):
        await content_of(blobs, "a")


async def test_what_is_cancelled_is_not_there(tmp_path: Path) -> None:
    blobs = open_directory(tmp_path)
    began = asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        yield LARGE
        began.set()
        await asyncio.Event().wait()

    async with asyncio.TaskGroup() as group:
        writing = group.create_task(blobs.put("a", endless()))
        await began.wait()
        writing.cancel()
    await until(lambda: not names(tmp_path))


def test_a_full_disk_keeps_nothing(tmp_path: Path) -> None:
    """The kernel refuses to write on, as it does where no block is left."""
    ran = subprocess.run(
        [sys.executable, "-c", _FULL, str(tmp_path)], capture_output=True, text=True, check=True
    )
    told = "The server has no room for this file; nothing of it was stored.\n"
    assert ran.stdout.endswith(told)
    assert names(tmp_path) == []


@pytest.mark.parametrize("content", [SMALL, LARGE], ids=len)
async def test_what_is_cancelled_at_the_end_does_not_appear_after_its_removal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    """A cancellation does not stop the write of what has come whole."""
    blobs = open_directory(tmp_path)
    put, began, written = obstore.put_async, asyncio.Event(), asyncio.Event()

    async def write(*given: object, **options: object) -> object:
        result = await put(*given, **options)  # type: ignore[arg-type]
        (tmp_path / "a").rename(tmp_path.parent / "a")
        began.set()
        await written.wait()
        (tmp_path.parent / "a").rename(tmp_path / "a")
        return result

    async with asyncio.TaskGroup() as group:
        threads: list[asyncio.Task[object]] = []

        def uncancelled(*given: object, **options: object) -> asyncio.Future[object]:
            threads.append(group.create_task(write(*given, **options)))
            return asyncio.shield(threads[0])

        monkeypatch.setattr(obstore, "put_async", uncancelled)
        writing = group.create_task(blobs.put("a", pieces(content)))
        await began.wait()
        writing.cancel()
        asyncio.get_running_loop().call_later(0.1, written.set)
        await asyncio.wait((writing,))
        await blobs.remove(["a"])
    assert writing.cancelled()
    assert names(tmp_path) == []


async def test_what_is_put_is_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[str] = []

    def sync(opened: int) -> None:
        synced.append(os.readlink(f"/proc/self/fd/{opened}"))

    monkeypatch.setattr(os, "fsync", sync)
    await open_directory(tmp_path).put("a", pieces(SMALL))
    assert synced == [str(tmp_path / "a"), str(tmp_path)]


async def test_one_is_removed_without_a_look_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A directory has a hundred thousand of them."""
    blobs = open_directory(tmp_path)
    await blobs.put("a", pieces(SMALL))
    (tmp_path / "a#1").write_bytes(b"half")
    looked: list[object] = []
    for module, name in ((os, "scandir"), (os, "listdir")):
        monkeypatch.setattr(module, name, looked.append)
    await blobs.remove(["a"])
    monkeypatch.undo()
    assert looked == []
    assert names(tmp_path) == []


async def test_what_a_killed_process_left_is_removed(tmp_path: Path) -> None:
    blobs = open_directory(tmp_path)
    (tmp_path / "a#1").write_bytes(b"half")
    (tmp_path / "b#1").write_bytes(b"another's")
    await blobs.remove(["a"])
    assert names(tmp_path) == ["b#1"]


def test_a_directory_is_private(tmp_path: Path) -> None:
    open_directory(tmp_path / "files")
    assert (tmp_path / "files").stat().st_mode & 0o777 == 0o700


def test_a_place_that_is_no_directory(tmp_path: Path) -> None:
    (tmp_path / "files").write_text("x")
    with pytest.raises(OperatorError, match="CARTRITA_FILES_STORAGE"):
        open_directory(tmp_path / "files")


async def test_a_bucket_that_cannot_be_reached() -> None:
    bucket = Bucket(
        name="files",
        prefix="a/b",
        endpoint=f"http://127.0.0.1:{free_port()}",
        access_key_id="id",
        secret_access_key=Secret("canary"),
        retries=0,
    )
    with pytest.raises(Unavailable) as told:
        await open_bucket(bucket).put("a", pieces(SMALL))
    assert "canary" not in repr(told.value)

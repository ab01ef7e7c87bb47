"""What becomes of files that are read: pages, images, or a reason why not."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest
from tests.backend.application.files_fixture import ANN, FilesFixture
from tests.harness.documents import png
from tests.harness.scenario import eventually

from cartrita.adapters.persistence.database import Database
from cartrita.adapters.persistence.files import FileTable
from cartrita.domain.errors import Unavailable
from cartrita.domain.files import FileStatus, ReadImage, StoredFile, UnreadableFile


@asynccontextmanager
async def running(files: FilesFixture) -> AsyncGenerator[None]:
    """The reader runs meanwhile."""
    async with asyncio.TaskGroup() as group:
        task = group.create_task(files.reader.run())
        yield
        task.cancel()


async def settled(files: FilesFixture, file: StoredFile) -> StoredFile:
    async def look() -> StoredFile | None:
        now = await files.files.get(ANN, file.public_id)
        return now if now.settled else None

    return await eventually(look)


async def test_pages_are_stored(pool: Database) -> None:
    files = FilesFixture(pool)
    files.reading.found = ("one", "x" * 250_000, "three")
    async with running(files):
        file = await settled(files, await files.upload(b"content"))
        assert (file.status, file.pages, file.characters) == (FileStatus.READY, 3, 250_008)
        again = await files.upload(b"content", "b.txt")
        assert again.status is FileStatus.READY
    pages = await FileTable(pool).pages(ANN.owner_id, file.content_id, 1 << 20)
    assert [page.text for page in pages] == ["one", "x" * 250_000, "three"]


async def test_images_are_stored(pool: Database) -> None:
    files = FilesFixture(pool)
    files.reading.found = (ReadImage("image/png", b"anew"),)
    async with running(files):
        file = await settled(files, await files.upload(png(1, 1), "a.png"))
    assert (file.status, file.image_type) == (FileStatus.READY, "image/png")
    async with files.files.image(file) as found:
        assert [piece async for piece in found] == [b"anew"]
    await files.files.delete(ANN, file.public_id)
    assert files.names() == []


@pytest.mark.parametrize(
    ("content", "found", "reason"),
    [
        (b"text", (UnreadableFile("It is damaged."),), "It is damaged."),
        (b"text", ("one", UnreadableFile("It is long.")), "It is long."),
        (b"text", ("  \n", ""), "It holds no text; it may be a scan."),
        (b"text", (), "It holds no text; it may be a scan."),
        (b"x" * 1001, ("text",), "It is longer than the 1,000 bytes that are read."),
        (b"text", (ZeroDivisionError("a defect"),), "The server could not read it."),
        (b"text", (asyncio.CancelledError(),), "The server could not read it."),
    ],
)
async def test_reasons(
    pool: Database, content: bytes, found: Sequence[str | BaseException], reason: str
) -> None:
    files = FilesFixture(pool)
    files.reading.found = found
    async with running(files):
        file = await settled(files, await files.upload(content))
    assert (file.status, file.reason) == (FileStatus.UNREADABLE, reason)


async def test_bytes_that_are_gone(pool: Database) -> None:
    files = FilesFixture(pool)
    file = await files.upload(b"text")
    await files.blobs.remove([file.content_id.hex])
    async with running(files):
        assert "not there any more" in ((await settled(files, file)).reason or "")


async def test_what_is_away_for_a_while_is_waited_for(pool: Database) -> None:
    files = FilesFixture(pool)
    files.reading.found = (Unavailable("The storage is away."),)
    async with running(files):
        file = await files.upload(b"text")

        async def tried() -> bool:
            now = await files.files.get(ANN, file.public_id)
            return now.status is FileStatus.STORED

        await eventually(tried)
        files.reading.found = ("text",)
        assert (await settled(files, file)).status is FileStatus.READY


async def test_defects_of_the_queue_do_not_end_the_reader(
    pool: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = FilesFixture(pool)
    queue = files.reader._queue
    claim = queue.claim
    failing = [ZeroDivisionError("a defect")]

    async def broken() -> object:
        if failing:
            raise failing.pop()
        return await claim()

    monkeypatch.setattr(queue, "claim", broken)
    async with running(files):
        file = await files.upload(b"text")
        assert (await settled(files, file)).status is FileStatus.READY


async def test_what_is_deleted_while_it_is_read(pool: Database) -> None:
    files = FilesFixture(pool)
    began, go_on = asyncio.Event(), asyncio.Event()
    read = files.reading.read

    async def slow(media_type: str, content: AsyncIterator[bytes]) -> AsyncIterator[object]:
        began.set()
        await go_on.wait()
        async for item in read(media_type, content):
            yield item

    files.reading.read = slow  # type: ignore[method-assign, assignment]
    async with running(files):
        file = await files.upload(b"text")
        await began.wait()
        await files.files.delete(ANN, file.public_id)
        go_on.set()
        other = await files.upload(b"other")
        assert (await settled(files, other)).status is FileStatus.READY


async def test_an_image_that_is_deleted_while_it_is_read_leaves_nothing(pool: Database) -> None:
    files = FilesFixture(pool)
    file = await files.upload(png(1, 1), "a.png")

    read = files.reading.read

    async def deleting(media_type: str, content: AsyncIterator[bytes]) -> AsyncIterator[object]:
        if media_type == "image/png":
            await files.files.delete(ANN, file.public_id)
            yield ReadImage("image/png", b"anew")
        else:
            async for item in read(media_type, content):
                yield item

    files.reading.read = deleting  # type: ignore[method-assign, assignment]
    async with running(files):
        other = await files.upload(b"text")
        await settled(files, other)
    assert files.names() == [other.content_id.hex]


async def test_a_reader_that_stops_leaves_its_file_to_others(pool: Database) -> None:
    files = FilesFixture(pool)
    began = asyncio.Event()

    async def endless(media_type: str, content: AsyncIterator[bytes]) -> AsyncIterator[object]:
        began.set()
        await asyncio.Event().wait()
        yield

    read = files.reading.read
    files.reading.read = endless  # type: ignore[method-assign, assignment]
    async with running(files):
        file = await files.upload(b"text")
        await began.wait()
    assert (await files.files.get(ANN, file.public_id)).status is FileStatus.STORED
    files.reading.read = read  # type: ignore[method-assign]
    async with running(files):
        assert (await settled(files, file)).status is FileStatus.READY

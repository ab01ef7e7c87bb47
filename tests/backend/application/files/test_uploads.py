"""Uploads: everything that a request brings becomes files, or nothing of it is left."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Collection
from typing import Any

import msgspec
import pytest
from sqlalchemy import delete, update
from starlette.requests import ClientDisconnect
from tests.backend.application.files_fixture import ANN, BOB, LIMITS, FilesFixture, pieces
from tests.harness.documents import png

from cartrita.adapters.persistence.database import Database
from cartrita.adapters.persistence.tables.files import attachments, file_contents
from cartrita.domain.errors import (
    CartritaError,
    InvalidInput,
    NotFound,
    StorageFull,
    TooLarge,
    Unavailable,
    UnsupportedMedia,
)
from cartrita.domain.files import FileFilter, FilePurpose, FileQuota, FileStatus


async def content_of(files: FilesFixture, file_id: str) -> bytes:
    file = await files.files.get(ANN, file_id)
    async with files.files.content(file) as found:
        return b"".join([piece async for piece in found])


async def received(files: FilesFixture, *given: tuple[str, bytes]) -> None:
    """Receive files of these names and bytes, without finishing them."""
    async with files.uploads.receiving(ANN) as upload:
        for name, content in given:
            await upload.receive("file", name, pieces(content))


async def rows(pool: Database) -> int:
    async with pool.use() as connection:
        found = await connection.exec_driver_sql("SELECT count(*) FROM file_contents")
        return int(found.scalar_one())


async def test_a_file_is_kept_as_it_came(pool: Database) -> None:
    files = FilesFixture(pool)
    content = b"x" * 100_000 + b"end"
    file = await files.upload(content, "../notes.md")
    assert (file.name, file.media_type) == ("notes.md", "text/markdown")
    assert (file.size, file.sha256) == (len(content), hashlib.sha256(content).hexdigest())
    assert await content_of(files, file.public_id) == content
    page = await files.files.list(ANN, FileFilter())
    assert page.items == [file]
    with pytest.raises(NotFound):
        await files.files.get(BOB, file.public_id)


async def test_what_is_deleted_is_gone_with_the_last_of_its_files(pool: Database) -> None:
    files = FilesFixture(pool)
    first, second = await files.upload(b"same"), await files.upload(b"same", "b.txt")
    assert len(files.names()) == 1
    await files.files.delete(ANN, first.public_id)
    assert await content_of(files, second.public_id) == b"same"
    for other in (first.public_id, "file_1", "file_" + "0" * 32):
        with pytest.raises(NotFound):
            await files.files.delete(ANN, other)
    with pytest.raises(NotFound):
        await files.files.delete(BOB, second.public_id)
    await files.files.delete(ANN, second.public_id)
    assert files.names() == []
    assert await rows(pool) == 0


@pytest.mark.parametrize(
    ("name", "content", "kind", "told"),
    [
        ("a.txt", b"", InvalidInput, "a.txt is empty"),
        ("a.txt", b"\x7fELF\0", UnsupportedMedia, "x-executable"),
        ("a.txt", b"\0\1\2", UnsupportedMedia, "of no known type"),
        ("a.pdf", b"%PDF-1.4", UnsupportedMedia, "application/pdf"),
        ("a.txt", b"x" * ((1 << 20) + 1), TooLarge, "1,048,576 bytes"),
    ],
)
async def test_what_is_refused_leaves_nothing(
    pool: Database, name: str, content: bytes, kind: type[CartritaError], told: str
) -> None:
    files = FilesFixture(pool)
    with pytest.raises(kind, match=told):
        await received(files, ("good.txt", b"good"), (name, content))
    assert files.names() == []
    assert await rows(pool) == 0


async def test_what_is_not_finished_leaves_nothing(pool: Database) -> None:
    files = FilesFixture(pool)
    async with files.uploads.receiving(ANN) as upload:
        assert upload.empty
        await upload.receive("file", "good.txt", pieces(b"good"))
        assert not upload.empty
    assert files.names() == []
    assert await rows(pool) == 0


async def test_who_leaves_leaves_nothing(pool: Database) -> None:
    files = FilesFixture(pool)

    async def leaving() -> AsyncIterator[bytes]:
        yield b"x" * 100_000
        raise ClientDisconnect

    with pytest.raises(ClientDisconnect):
        async with files.uploads.receiving(ANN) as upload:
            await upload.receive("file", "a.txt", leaving())
    assert files.names() == []
    assert await rows(pool) == 0


async def test_a_commit_whose_answer_is_lost_keeps_the_file(
    pool: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = FilesFixture(pool)
    finish = files.uploads._store.finish

    async def unheard(*given: Any) -> None:
        await finish(*given)
        raise Unavailable("The connection broke.")

    monkeypatch.setattr(files.uploads._store, "finish", unheard)
    with pytest.raises(Unavailable):
        await files.upload(b"text")
    page = await files.files.list(ANN, FileFilter())
    assert await content_of(files, page.items[0].public_id) == b"text"


async def test_the_reason_of_a_refusal_is_told_when_the_database_is_away_too(
    pool: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = FilesFixture(pool)

    async def away(_: object) -> None:
        raise Unavailable("The database is away.")

    monkeypatch.setattr(files.uploads._store, "abandon", away)
    with pytest.raises(UnsupportedMedia):
        await received(files, ("good.txt", b"good"), ("a.txt", b"\0"))
    assert len(files.names()) == 1


async def test_no_more_files_than_a_request_may_bring(pool: Database) -> None:
    files = FilesFixture(pool)
    with pytest.raises(TooLarge, match="at most 3 files"):
        await received(files, *((f"{number}", b"x%d" % number) for number in range(4)))
    assert files.names() == []


@pytest.mark.parametrize("quota", [FileQuota(1, 1000), FileQuota(9, 100)])
async def test_an_owner_without_room(pool: Database, quota: FileQuota) -> None:
    files = FilesFixture(pool, msgspec.structs.replace(LIMITS, quota=quota))
    await files.upload(b"x" * 100)
    for content in (b"y", b"y" * 70_000):
        with pytest.raises(StorageFull) as told:
            await files.upload(content)
        assert told.value.code == "quota_exceeded"
    assert len(files.names()) == 1
    await files.upload(b"y", principal=BOB)


async def test_room_is_counted_while_bytes_arrive(pool: Database) -> None:
    files = FilesFixture(pool, msgspec.structs.replace(LIMITS, quota=FileQuota(9, 100_000)))
    with pytest.raises(StorageFull, match="100,000"):
        await files.upload(b"x" * 200_000)
    assert files.names() == []


async def test_what_others_are_sending_takes_room(pool: Database) -> None:
    files = FilesFixture(pool, msgspec.structs.replace(LIMITS, quota=FileQuota(9, 300_000)))
    began, go_on = asyncio.Event(), asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield b"x" * 200_000
        began.set()
        await go_on.wait()
        yield b"y" * 50_000

    async with asyncio.TaskGroup() as group:

        async def send() -> None:
            async with files.uploads.receiving(ANN) as upload:
                await upload.receive("file", "a.txt", slow())
                await upload.finish(FilePurpose())

        group.create_task(send())
        await began.wait()
        with pytest.raises(StorageFull, match="300,000"):
            await files.upload(b"z" * 200_000)
        await files.upload(b"z" * 200_000, principal=BOB)
        go_on.set()
    await files.upload(b"z" * 50_000)
    with pytest.raises(StorageFull):
        await files.upload(b"more")


async def test_what_cannot_be_removed_is_removed_by_the_next_sweep(
    pool: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = FilesFixture(pool)
    file = await files.upload(b"text")
    with monkeypatch.context() as patched:

        async def away(_: object) -> None:
            raise Unavailable("The storage is away.")

        patched.setattr(files.blobs, "remove", away)
        await files.files.delete(ANN, file.public_id)
        assert await files.removal.sweep() == 0
    assert len(files.names()) == 1
    assert await files.removal.sweep() == 1
    assert files.names() == []
    assert await files.removal.sweep() == 0


async def test_what_cannot_be_removed_does_not_keep_the_rest_from_it(
    pool: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = FilesFixture(pool)
    made = [await files.upload(text) for text in (b"one", b"two", b"three")]
    remove, stuck = files.blobs.remove, made[0].content_id.hex
    with monkeypatch.context() as patched:

        async def away(_: object) -> None:
            raise Unavailable("The storage is away.")

        patched.setattr(files.blobs, "remove", away)
        for file in made:
            await files.files.delete(ANN, file.public_id)

    async def partly(names: Collection[str]) -> None:
        if stuck in names:
            raise Unavailable("The storage is away.")
        await remove(names)

    monkeypatch.setattr(files.blobs, "remove", partly)
    assert await files.removal.sweep() == 2
    assert files.names() == [stuck]


async def test_a_storage_that_is_away_is_not_asked_for_ever(
    pool: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    files, asked = FilesFixture(pool), 0
    for number in range(9):
        file = await files.upload(b"%d" % number)
        async with pool.use() as connection:
            await connection.execute(delete(attachments).where(attachments.c.id == file.id))
    async with pool.use() as connection:
        await connection.execute(update(file_contents).values(status="removed", sha256=None))

    async def away(_: object) -> None:
        nonlocal asked
        asked += 1
        raise Unavailable("The storage is away.")

    with monkeypatch.context() as patched:
        patched.setattr(files.blobs, "remove", away)
        assert await files.removal.sweep() == 0
    assert asked == 3
    assert await files.removal.sweep() == 9


async def test_there_is_an_image_only_of_images(pool: Database) -> None:
    files = FilesFixture(pool)
    file = await files.upload(png(1, 1), "a.png")
    assert file.status is FileStatus.STORED
    with pytest.raises(NotFound):
        files.files.image(file)

"""Rows of files: from the first byte that arrives to the last that is removed."""

import asyncio
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select, text, update
from tests.harness.rows import ANN, BOB, stored_conversation

from cartrita.adapters.persistence.database import Database
from cartrita.adapters.persistence.file_contents import ContentTable
from cartrita.adapters.persistence.file_reading import ReadingTable
from cartrita.adapters.persistence.files import FileTable
from cartrita.adapters.persistence.tables.files import attachments, file_contents
from cartrita.adapters.persistence.uploads import UploadTable
from cartrita.domain.errors import InvalidInput, StorageFull, Unavailable
from cartrita.domain.files import (
    ArrivedFile,
    ContentId,
    FileFilter,
    FileId,
    FilePage,
    FilePurpose,
    FileQuota,
    FileStatus,
    FileUse,
    ReadingClaim,
    StoredFile,
)

QUOTA = FileQuota(100, 10_000)


async def uploaded(
    pool: Database,
    digest: str = "00",
    *,
    owner_id: str = ANN,
    media_type: str = "text/plain",
    quota: FileQuota = QUOTA,
    purpose: FilePurpose | None = None,
) -> StoredFile:
    """A file of 100 bytes."""
    table = UploadTable(pool)
    arrived = ArrivedFile(
        content_id=await table.begin(owner_id),
        name="a.txt",
        media_type=media_type,
        size=100,
        sha256=digest * 32,
    )
    [file] = await table.finish(owner_id, [arrived], purpose or FilePurpose(), quota)
    return file


async def statuses(pool: Database) -> list[str]:
    async with pool.use() as connection:
        rows = await connection.execute(select(file_contents.c.status).order_by("status"))
        return [*rows.scalars()]


async def aged(pool: Database, seconds: float) -> None:
    """All contents have been as they are for so long."""
    since = file_contents.c.changed_at - timedelta(seconds=seconds)
    async with pool.use() as connection:
        await connection.execute(update(file_contents).values(changed_at=since))


async def test_what_arrived_is_a_file(pool: Database) -> None:
    conversation = await stored_conversation(pool, external_id="mine")
    kept_for = timedelta(hours=2)
    purpose = FilePurpose(name="vision", conversation_id=conversation.id, kept_for=kept_for)
    file = await uploaded(pool, "ab", purpose=purpose)
    assert (file.name, file.size, file.sha256) == ("a.txt", 100, "ab" * 32)
    assert (file.purpose, file.conversation) == ("vision", "mine")
    assert file.expires_at == file.created_at + kept_for
    assert file.status is FileStatus.STORED
    assert await FileTable(pool).get(ANN, file.id) == file
    assert await FileTable(pool).get(BOB, file.id) is None
    assert await UploadTable(pool).use(ANN) == FileUse(1, 100)
    assert await UploadTable(pool).use(BOB) == FileUse()


async def test_what_was_to_end_is_kept_in_a_conversation(pool: Database) -> None:
    mine, theirs = await stored_conversation(pool), await stored_conversation(pool, BOB)
    table = FileTable(pool)
    file = await uploaded(pool, purpose=FilePurpose(kept_for=timedelta(hours=1)))
    assert not await table.keep(BOB, file.id, theirs.id)
    assert not await table.keep(ANN, file.id, theirs.id)
    assert await table.get(ANN, file.id) == file
    assert await table.keep(ANN, file.id, mine.id)
    kept = await table.get(ANN, file.id)
    assert kept is not None
    assert (kept.expires_at, kept.conversation_id) == (None, mine.id)


async def test_what_has_no_text_is_ready_at_once(pool: Database) -> None:
    assert (await uploaded(pool, media_type="audio/wav")).status is FileStatus.READY


async def test_equal_bytes_of_one_owner_are_stored_once(pool: Database) -> None:
    first, again = await uploaded(pool), await uploaded(pool)
    assert first.content_id == again.content_id
    assert first.id != again.id
    assert await UploadTable(pool).use(ANN) == FileUse(2, 100)
    assert await statuses(pool) == ["removed", "stored"]
    theirs = await uploaded(pool, owner_id=BOB)
    assert theirs.content_id != first.content_id
    table = FileTable(pool)
    assert await table.remove(ANN, first.id) == []
    assert await table.remove(ANN, again.id) == [first.content_id]
    assert await table.remove(ANN, again.id) is None
    assert await table.remove(BOB, FileId(uuid4())) is None
    fresh = await uploaded(pool)
    assert fresh.content_id != first.content_id


async def test_many_at_once_share_one_content(pool: Database) -> None:
    made = await asyncio.gather(*(uploaded(pool) for _ in range(8)))
    assert len({file.content_id for file in made}) == 1
    assert len({file.id for file in made}) == 8


@pytest.mark.parametrize(
    ("quota", "told"), [(FileQuota(1, 1000), "more than 1 files"), (FileQuota(9, 150), "150 bytes")]
)
async def test_no_more_than_the_quota(pool: Database, quota: FileQuota, told: str) -> None:
    await uploaded(pool, "00")
    with pytest.raises(StorageFull, match=told) as error:
        await uploaded(pool, "01", quota=quota)
    assert error.value.code == "quota_exceeded"
    assert await UploadTable(pool).use(ANN) == FileUse(1, 100)


async def test_what_was_given_up_cannot_be_finished(pool: Database) -> None:
    table = UploadTable(pool)
    content_id = await table.begin(ANN)
    assert await table.abandon([content_id]) == [content_id]
    assert await table.abandon([content_id]) == [content_id]
    assert await table.abandon([]) == []
    arrived = ArrivedFile(
        content_id=content_id, name="a", media_type="text/plain", size=1, sha256="00" * 32
    )
    with pytest.raises(Unavailable):
        await table.finish(ANN, [arrived], FilePurpose(), QUOTA)
    with pytest.raises(Unavailable):
        await table.reserve(ANN, content_id, (1, 1), QUOTA)


async def test_room_is_kept_for_what_arrives(pool: Database) -> None:
    table = UploadTable(pool)
    first, second = await table.begin(ANN), await table.begin(ANN)
    quota = FileQuota(9, 1000)
    assert await table.reserve(ANN, first, (100, 400), quota) == 400
    assert await table.use(ANN) == FileUse(0, 400)
    assert await table.reserve(ANN, second, (100, 900), quota) == 600
    with pytest.raises(StorageFull):
        await table.reserve(ANN, first, (401, 800), quota)
    assert await table.use(ANN) == FileUse(0, 1000)
    await table.abandon([second])
    assert await table.reserve(ANN, first, (401, 800), quota) == 800


async def test_what_a_file_has_is_not_given_up(pool: Database) -> None:
    file = await uploaded(pool)
    assert await UploadTable(pool).abandon([file.content_id]) == []
    assert await statuses(pool) == ["stored"]


async def test_pages_of_files(pool: Database) -> None:
    conversation = await stored_conversation(pool)
    here = FilePurpose(name="vision", conversation_id=conversation.id)
    made = [await uploaded(pool, f"0{number}") for number in range(3)]
    made += [await uploaded(pool, "0a", purpose=here)]
    table = FileTable(pool)
    first = await table.list(ANN, FileFilter(), 3, None)
    assert first.items == made[:0:-1]
    rest = await table.list(ANN, FileFilter(), 3, first.next_cursor)
    assert (rest.items, rest.next_cursor) == ([made[0]], None)
    oldest = await table.list(ANN, FileFilter(oldest_first=True), 2, made[0].cursor)
    assert oldest.items == made[1:3]
    there = await table.list(ANN, FileFilter(conversation_id=conversation.id), 9, None)
    assert there.items == made[3:]
    assert (await table.list(ANN, FileFilter(purpose="vision"), 9, None)).items == made[3:]
    assert (await table.list(BOB, FileFilter(), 9, None)).items == []
    for cursor in ("x", "WyJ4IiwieSJd", "WzFd"):
        with pytest.raises(InvalidInput):
            await table.list(ANN, FileFilter(), 9, cursor)


async def test_what_has_expired_is_not_there_and_then_removed(pool: Database) -> None:
    file = await uploaded(pool, purpose=FilePurpose(kept_for=timedelta(hours=1)))
    async with pool.use() as connection:
        await connection.execute(update(attachments).values(expires_at=file.created_at))
    assert await FileTable(pool).get(ANN, file.id) is None
    contents = ContentTable(pool, arrival_s=60)
    assert await contents.expire() == 1
    assert await contents.removed(10) == [file.content_id]
    await contents.forget(file.content_id)
    assert await statuses(pool) == []


async def test_what_never_arrived_is_removed(pool: Database) -> None:
    old = await UploadTable(pool).begin(ANN)
    await aged(pool, 61)
    await UploadTable(pool).begin(ANN)
    contents = ContentTable(pool, arrival_s=60)
    assert await contents.expire() == 1
    assert await contents.removed(10) == [old]
    assert await contents.expire() == 0


async def test_a_deleted_conversation_leaves_its_files(pool: Database) -> None:
    conversation = await stored_conversation(pool)
    file = await uploaded(pool, purpose=FilePurpose(conversation_id=conversation.id))
    async with pool.use() as connection:
        await connection.execute(text("DELETE FROM conversations"))
    left = await FileTable(pool).get(ANN, file.id)
    assert left is not None
    assert (left.conversation_id, left.conversation) == (None, None)


async def claimed(queue: ReadingTable) -> ReadingClaim:
    task = await queue.claim()
    assert task is not None
    return task


async def test_a_file_is_read_once(pool: Database) -> None:
    file = await uploaded(pool)
    queue = ReadingTable(pool, silence_s=60)
    task = await claimed(queue)
    assert task == ReadingClaim(file.content_id, "text/plain", 100, 1)
    assert await queue.claim() is None
    assert await queue.add(task, [FilePage(1, "one"), FilePage(2, "three")], 0.5)
    now = await FileTable(pool).get(ANN, file.id)
    assert now is not None
    assert (now.status, now.progress) == (FileStatus.READING, 0.5)
    assert await queue.add(task, [FilePage(2, "two")], 1.0)
    await queue.finish(task, None)
    done = await FileTable(pool).get(ANN, file.id)
    assert done is not None
    assert (done.status, done.pages, done.characters) == (FileStatus.READY, 2, 6)
    table = FileTable(pool)
    assert await table.pages(ANN, file.content_id, 100) == [FilePage(1, "one"), FilePage(2, "two")]
    assert await table.pages(ANN, file.content_id, 3) == [FilePage(1, "one")]
    assert await table.pages(BOB, file.content_id, 100) == []
    assert await queue.claim() is None


async def test_an_image_has_a_type(pool: Database) -> None:
    file = await uploaded(pool, media_type="image/png")
    queue = ReadingTable(pool, silence_s=60)
    await queue.finish(await claimed(queue), "image/png")
    done = await FileTable(pool).get(ANN, file.id)
    assert done is not None
    assert (done.image_type, done.pages) == ("image/png", 0)


async def test_what_cannot_be_read_says_why_and_keeps_no_pages(pool: Database) -> None:
    file = await uploaded(pool)
    queue = ReadingTable(pool, silence_s=60)
    task = await claimed(queue)
    await queue.add(task, [FilePage(1, "one")], 0.5)
    await queue.fail(task, "It is damaged.")
    done = await FileTable(pool).get(ANN, file.id)
    assert done is not None
    assert (done.status, done.reason) == (FileStatus.UNREADABLE, "It is damaged.")
    assert await FileTable(pool).pages(ANN, file.content_id, 100) == []
    await queue.fail(task, "It is not.")
    again = await FileTable(pool).get(ANN, file.id)
    assert again == done


async def test_a_reader_that_is_gone_is_replaced(pool: Database) -> None:
    await uploaded(pool)
    queue = ReadingTable(pool, silence_s=60)
    first = await claimed(queue)
    await aged(pool, 61)
    second = await claimed(queue)
    assert second.attempt == 2
    assert not await queue.add(first, [FilePage(1, "late")], 1.0)
    assert await queue.add(second, [], 1.0)


async def test_what_is_released_is_read_by_another(pool: Database) -> None:
    await uploaded(pool)
    queue = ReadingTable(pool, silence_s=60)
    first = await claimed(queue)
    await queue.release(first)
    for _ in range(5):
        await queue.release(await claimed(queue))
    second = await claimed(queue)
    assert second.attempt > first.attempt
    assert not await queue.add(first, [FilePage(1, "late")], 1.0)
    assert await queue.add(second, [], 1.0)


async def test_owners_are_read_in_turn(pool: Database) -> None:
    for number in range(3):
        await uploaded(pool, f"0{number}")
    queue = ReadingTable(pool, silence_s=60)
    first = await claimed(queue)
    theirs = await uploaded(pool, owner_id=BOB)
    assert (await claimed(queue)).content_id == theirs.content_id
    await queue.finish(first)
    second = await claimed(queue)
    others = await uploaded(pool, "01", owner_id=BOB)
    assert (await claimed(queue)).content_id == others.content_id
    third = await claimed(queue)
    assert len({each.content_id for each in (first, second, third)}) == 3
    assert await queue.claim() is None


async def test_one_owner_has_several_read_at_once_where_nobody_else_waits(pool: Database) -> None:
    made = {(await uploaded(pool, f"0{number}")).content_id for number in range(8)}
    queue = ReadingTable(pool, silence_s=60)
    claims = [await claimed(queue) for _ in range(8)]
    assert {each.content_id for each in claims} == made


async def test_no_more_text_than_an_owner_may_have(pool: Database) -> None:
    queue = ReadingTable(pool, silence_s=60, owner_characters=10)
    await uploaded(pool)
    task = await claimed(queue)
    await queue.add(task, [FilePage(1, "x" * 10)], 1.0)
    await queue.finish(task)
    beyond = await uploaded(pool, "01")
    theirs = await uploaded(pool, owner_id=BOB)
    assert (await claimed(queue)).content_id == theirs.content_id
    assert await queue.claim() is None
    done = await FileTable(pool).get(ANN, beyond.id)
    assert done is not None
    assert done.status is FileStatus.UNREADABLE
    assert "10 characters" in (done.reason or "")


async def test_images_that_were_made_anew_count(pool: Database) -> None:
    await uploaded(pool, media_type="image/png")
    queue = ReadingTable(pool, silence_s=60)
    await queue.finish(await claimed(queue), "image/png", 5_000)
    assert await UploadTable(pool).use(ANN) == FileUse(1, 5_100)


async def test_what_ends_three_readers_is_given_up(pool: Database) -> None:
    file = await uploaded(pool)
    queue = ReadingTable(pool, silence_s=60)
    for _ in range(3):
        await claimed(queue)
        await aged(pool, 61)
    assert await queue.claim() is None
    done = await FileTable(pool).get(ANN, file.id)
    assert done is not None
    assert done.status is FileStatus.UNREADABLE
    assert "three attempts" in (done.reason or "")


async def test_what_was_deleted_is_not_read_on(pool: Database) -> None:
    file = await uploaded(pool)
    queue = ReadingTable(pool, silence_s=60)
    task = await claimed(queue)
    await FileTable(pool).remove(ANN, file.id)
    assert not await queue.add(task, [FilePage(1, "one")], 0.5)
    await queue.finish(task, None)
    contents = ContentTable(pool, arrival_s=60)
    assert await contents.removed(10) == [ContentId(file.content_id)]
    async with pool.use() as connection:
        assert (await connection.execute(select(attachments))).all() == []

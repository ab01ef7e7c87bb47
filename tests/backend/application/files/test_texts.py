"""The caller's files are searched by passages and read by pages, and nobody else's."""

import pytest
from sqlalchemy import text
from tests.backend.application.embeddings_fixture import FakeEmbeddings
from tests.backend.application.files_fixture import ANN, BOB, FilesFixture, read
from tests.harness.server import free_port

from cartrita.adapters.persistence.database import Database
from cartrita.adapters.persistence.file_reading import ReadingTable
from cartrita.adapters.persistence.files import FileTable
from cartrita.adapters.persistence.passage_vectors import PassageVectorTable
from cartrita.adapters.persistence.passages import PassageTable
from cartrita.application.files.texts import FileTexts
from cartrita.application.search.meaning import MeaningSearch
from cartrita.domain.errors import Forbidden, InvalidInput, NotFound, Unavailable
from cartrita.domain.files import FilePage
from cartrita.domain.principals import Principal
from cartrita.domain.scopes import Scopes
from cartrita.kit.ids import fresh


async def titles(
    files: FilesFixture, text: str, principal: Principal = ANN, file: str | None = None
) -> list[str]:
    return [each.title for each in await files.texts.search(principal, text, file=file)]


async def test_passages_are_found_by_words_and_by_questions(pool: Database) -> None:
    files = FilesFixture(pool)
    await read(pool, files, "The heliotrope stands here.", "The blue pump is beside the gate.")
    await read(pool, files, "Pumps are red.", name="b.txt")
    assert await titles(files, "blue pump") == [
        "a.txt, page 2, passage 1",
        "b.txt, page 1, passage 1",
    ]
    assert (await titles(files, "Where is the pump that is blue?"))[0] == "a.txt, page 2, passage 1"
    assert await titles(files, "pump", file="b.txt") == ["b.txt, page 1, passage 1"]
    assert await titles(files, "pump", BOB) == []
    assert await titles(files, "nowhere") == []


async def test_several_words_of_a_question_weigh_more_than_one_often(pool: Database) -> None:
    files = FilesFixture(pool)
    await read(pool, files, "Pump, pump, pump and pump.", "The blue pump leaks in winter.")
    found = await titles(files, "Why does the blue pump leak so badly?")
    assert found[0] == "a.txt, page 2, passage 1"


@pytest.mark.parametrize("text", ["", "\x00", "pump\x00", "'(&|!", "-" * 5000, "the", "\ud800"])
async def test_no_text_is_an_error(pool: Database, text: str) -> None:
    files = FilesFixture(pool)
    await read(pool, files, "The blue pump")
    await titles(files, text)


async def test_what_is_deleted_is_not_found(pool: Database) -> None:
    files = FilesFixture(pool)
    one = await read(pool, files, "The blue pump")
    again = await files.upload(f"a.txt{('The blue pump',)}".encode(), "again.txt")
    assert again.content_id == one.content_id
    assert await titles(files, "pump") == ["again.txt, page 1, passage 1"]
    assert await titles(files, "pump", file="a.txt") == ["a.txt, page 1, passage 1"]
    await files.files.delete(ANN, again.public_id)
    assert await titles(files, "pump") == ["a.txt, page 1, passage 1"]
    await files.files.delete(ANN, one.public_id)
    assert await titles(files, "pump") == []
    async with pool.use() as connection:
        for table in ("passages", "passage_embeddings"):
            assert await connection.scalar(text(f"SELECT count(*) FROM {table}")) == 0


async def test_a_database_that_is_away_is_told_of_as_such_with_a_search_by_meaning() -> None:
    away = Database(f"postgresql://nobody@127.0.0.1:{free_port()}/none", pool_wait_s=0.2)
    meaning = MeaningSearch(PassageVectorTable(away), FakeEmbeddings())
    texts = FileTexts(FileTable(away), PassageTable(away), meaning)
    with pytest.raises(Unavailable):
        await texts.search(ANN, "pump")
    await away.close()


async def test_pages_are_read(pool: Database) -> None:
    files = FilesFixture(pool)
    file = await read(pool, files, "First page", "Second", "Third")
    excerpt = await files.texts.read(ANN, "A.TXT", first=1, last=2, start=6, characters=6)
    assert excerpt.pages == (FilePage(1, "page"), FilePage(2, "Se"))
    assert (excerpt.file_id, excerpt.file_pages) == (file.id, 3)
    assert (excerpt.end, excerpt.total) == (12, 16)
    rest = await files.texts.read(ANN, file.public_id, first=2, last=99, start=0, characters=99)
    assert [page.text for page in rest.pages] == ["Second", "Third"]
    beyond = await files.texts.read(ANN, file.public_id, first=1, last=1, start=50, characters=9)
    assert beyond.pages == ()
    with pytest.raises(InvalidInput, match="has 3 pages"):
        await files.texts.read(ANN, "a.txt", first=4, last=4, start=0, characters=9)


async def test_the_latest_file_of_a_name_is_read(pool: Database) -> None:
    files = FilesFixture(pool)
    await read(pool, files, "Old")
    await read(pool, files, "New")
    excerpt = await files.texts.read(ANN, "a.txt", first=1, last=1, start=0, characters=9)
    assert [page.text for page in excerpt.pages] == ["New"]


async def test_files_that_cannot_be_read(pool: Database) -> None:
    files = FilesFixture(pool)
    theirs = await files.upload(b"secret", "theirs.txt", principal=BOB)
    for named in (theirs.public_id, "theirs.txt", fresh("file"), "a\x00b"):
        with pytest.raises(NotFound):
            await titles(files, "secret", file=named)
    await files.upload(b"ID3\x04", "a.mp3")
    with pytest.raises(InvalidInput, match="without text"):
        await titles(files, "secret", file="a.mp3")
    await files.upload(b"later", "late.txt")
    with pytest.raises(InvalidInput, match="has not been read yet"):
        await titles(files, "secret", file="late.txt")


async def test_a_key_needs_the_operation(pool: Database) -> None:
    files = FilesFixture(pool)
    chatter = Principal("ann", "key", scopes=Scopes(operations=("chat",)))
    with pytest.raises(Forbidden):
        await titles(files, "pump", chatter)
    with pytest.raises(Forbidden):
        await files.texts.read(chatter, "a.txt", first=1, last=1, start=0, characters=9)


async def test_pages_that_are_read_again_have_the_passages_of_the_last_time(pool: Database) -> None:
    files = FilesFixture(pool)
    await files.upload(b"text", "a.txt")
    queue = ReadingTable(pool, silence_s=60)
    task = await queue.claim()
    assert task is not None
    await queue.add(task, [FilePage(1, "old words"), FilePage(2, "kept words")], 0.5)
    await queue.add(task, [FilePage(1, "new words")], 0.5)
    await queue.add(task, [FilePage(3, " ")], 1.0)
    await queue.finish(task, None)
    assert await titles(files, "words") == [
        "a.txt, page 1, passage 1",
        "a.txt, page 2, passage 1",
    ]
    assert await titles(files, "old") == []

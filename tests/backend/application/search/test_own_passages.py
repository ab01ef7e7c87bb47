"""Passages of what an owner has stored: of messages and of files, named ones first."""

from tests.backend.application.files_fixture import ANN, BOB, FilesFixture, read

from cartrita.adapters.persistence.database import Database
from cartrita.adapters.persistence.files import FileTable
from cartrita.adapters.persistence.passages import PassageTable
from cartrita.application.search.own_passages import OwnPassages


class Said:
    """Finds these messages, whatever the words are."""

    def __init__(self, *texts: str) -> None:
        self.texts = list(texts)

    async def passages(self, owner_id: str, words: str, limit: int) -> list[str]:
        return self.texts[:limit]


def own(pool: Database, *said: str) -> OwnPassages:
    return OwnPassages(Said(*said), PassageTable(pool), FileTable(pool))


async def test_messages_and_files_alternate(pool: Database) -> None:
    await read(pool, FilesFixture(pool), "The heliotrope is blue", name="beds.txt")
    found = await own(pool, "first", "second").passages(ANN.owner_id, "heliotrope", 3)
    assert [one.text for one in found] == ["first", "The heliotrope is blue", "second"]
    assert found[0].title == "Stored here"
    assert found[1].title == "beds.txt, page 1, passage 1"
    assert found[1].url is not None
    assert found[1].url.endswith("/content#page=1&passage=1")
    assert await own(pool).passages(BOB.owner_id, "heliotrope", 3) == []


async def test_named_files_come_first(pool: Database) -> None:
    files = FilesFixture(pool)
    await read(pool, files, "The heliotrope is tall, this heliotrope", name="other.txt")
    await read(pool, files, "Moss", "The heliotrope is blue", name="beds.txt")
    search = own(pool, "first")
    found = await search.passages(ANN.owner_id, "heliotrope", 3, ["beds.txt", "gone.txt"])
    assert [one.file for one in found] == ["beds.txt", None, "other.txt"]
    assert found[0].text == "The heliotrope is blue"


async def test_a_named_file_is_cited_and_not_another_of_the_same_bytes(pool: Database) -> None:
    files = FilesFixture(pool)
    await read(pool, files, "The heliotrope", name="beds.txt")
    await files.upload(b"beds.txt('The heliotrope',)", "again.txt")
    for name in ("beds.txt", "again.txt"):
        [found] = await own(pool).passages(ANN.owner_id, "heliotrope", 1, [name])
        assert (found.file, found.title) == (name, f"{name}, page 1, passage 1")


async def test_a_named_file_without_the_words_is_given_from_its_beginning(pool: Database) -> None:
    files = FilesFixture(pool)
    await read(pool, files, "Moss", "Fern", name="beds.txt")
    await files.upload(b"unread", "unread.txt")
    for words in ("heliotrope", ""):
        found = await own(pool).passages(ANN.owner_id, words, 3, ["unread.txt", "beds.txt"])
        assert [(one.title, one.text) for one in found] == [("beds.txt, page 1, passage 1", "Moss")]

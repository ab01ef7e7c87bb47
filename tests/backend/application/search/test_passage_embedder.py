"""Passages are embedded beside the requests, and found by what they mean."""

import asyncio
from contextlib import suppress

import pytest
from sqlalchemy import update
from tests.backend.application.embeddings_fixture import FakeEmbeddings
from tests.backend.application.files_fixture import ANN, BOB, FilesFixture, read

from cartrita.adapters.persistence.database import Database
from cartrita.adapters.persistence.files import FileTable
from cartrita.adapters.persistence.passage_vectors import PassageVectorTable
from cartrita.adapters.persistence.passages import PassageTable
from cartrita.adapters.persistence.tables.files import passage_embeddings
from cartrita.application.files.texts import FileTexts
from cartrita.application.search.meaning import MeaningSearch
from cartrita.application.search.passage_embedder import PassageEmbedder
from cartrita.domain.embeddings import EmbeddedPassage
from cartrita.domain.errors import (
    BudgetExhausted,
    Busy,
    CartritaError,
    EndpointMissing,
    UpstreamAuth,
    UpstreamLimited,
    UpstreamQuota,
    UpstreamRejected,
    UpstreamUnreachable,
)
from cartrita.domain.files import StoredFile


def embedder(pool: Database, embeddings: FakeEmbeddings) -> PassageEmbedder:
    return PassageEmbedder(PassageVectorTable(pool), embeddings, interval_s=0.01)


def texts(pool: Database, embeddings: FakeEmbeddings) -> FileTexts:
    meaning = MeaningSearch(PassageVectorTable(pool), embeddings)
    return FileTexts(FileTable(pool), PassageTable(pool), meaning)


async def test_passages_are_found_by_their_meaning(pool: Database) -> None:
    await read(pool, FilesFixture(pool), "A pump.", "A hound sleeps.", "A gate.")
    embeddings = FakeEmbeddings()
    making = embedder(pool, embeddings)
    assert await making.embed_some()
    assert not await making.embed_some()
    assert [owner for owner, _ in embeddings.asked] == [ANN.owner_id]
    finding = texts(pool, embeddings)
    found = await finding.search(ANN, "puppy", limit=1)
    assert [each.passage.text for each in found] == ["A hound sleeps."]
    asked = len(embeddings.asked)
    assert await finding.search(ANN, "puppy", limit=1) == found
    assert len(await finding.search(ANN, "\x00 ", limit=1)) == 0
    assert len(embeddings.asked) == asked, "the vector of a question is kept for its files"
    await finding.search(BOB, "puppy", limit=1)
    assert embeddings.asked[asked:] == [(BOB.owner_id, ["puppy"])]


async def test_how_much_is_indexed_is_told(pool: Database) -> None:
    file = await read(pool, FilesFixture(pool), "A pump.", "A hound sleeps.")
    without = await read(pool, FilesFixture(pool), " ", name="b.txt")
    store = FileTable(pool, FakeEmbeddings.model)

    async def indexed(of: StoredFile) -> float | None:
        found = await store.get(ANN.owner_id, of.id)
        assert found is not None
        return found.indexed

    assert await indexed(file) == 0
    [one] = await PassageVectorTable(pool).claim(FakeEmbeddings.model, 1)
    await PassageVectorTable(pool).store(FakeEmbeddings.model, [EmbeddedPassage(one.key, None)])
    assert await indexed(file) == 0.5
    await embedder(pool, FakeEmbeddings()).embed_some()
    assert await indexed(file) == 1
    assert await indexed(without) is None
    other = await FileTable(pool, "p/other").get(ANN.owner_id, file.id)
    assert other is not None
    assert other.indexed == 0


async def test_where_the_model_cannot_be_asked_words_do(pool: Database) -> None:
    await read(pool, FilesFixture(pool), "A pump.", "A hound sleeps.")
    embeddings = FakeEmbeddings()
    await embedder(pool, embeddings).embed_some()
    embeddings.error = UpstreamUnreachable("It is down.", provider="p")
    found = await texts(pool, embeddings).search(ANN, "hound")
    assert [each.passage.text for each in found] == ["A hound sleeps."]


async def test_a_text_that_is_refused_does_not_stop_the_others(pool: Database) -> None:
    await read(pool, FilesFixture(pool), "A refused one.", "A hound sleeps.")
    embeddings = FakeEmbeddings()
    making = embedder(pool, embeddings)
    assert await making.embed_some()
    assert not await making.embed_some()
    found = await texts(pool, embeddings).search(ANN, "puppy")
    assert [each.passage.text for each in found] == ["A hound sleeps."]


async def test_where_all_texts_are_refused_the_model_is_wrong(pool: Database) -> None:
    await read(pool, FilesFixture(pool), "A refused one.", "Another refused one.")
    with pytest.raises(UpstreamRejected):
        await embedder(pool, FakeEmbeddings()).embed_some()


async def test_an_owner_for_whom_it_fails_keeps_no_other_from_it(pool: Database) -> None:
    files = FilesFixture(pool)
    await read(pool, files, "A hound.")
    embeddings, now = FakeEmbeddings(), 0.0
    making = PassageEmbedder(
        PassageVectorTable(pool), embeddings, interval_s=0.01, clock=lambda: now
    )
    embeddings.error = BudgetExhausted("Nothing is left.")
    with pytest.raises(BudgetExhausted):
        await making.embed_some()
    await free_claims(pool)
    await read(pool, files, "A puppy.", principal=BOB)
    embeddings.error = None
    assert await making.embed_some()
    assert not await making.embed_some()
    assert [owner for owner, _ in embeddings.asked] == [ANN.owner_id, BOB.owner_id]
    now = 301.0
    assert await making.embed_some()
    assert embeddings.asked[-1][0] == ANN.owner_id


async def free_claims(pool: Database) -> None:
    """As if whoever claimed passages had been away for long."""
    async with pool.use() as connection:
        await connection.execute(update(passage_embeddings).values(claimed_at=None))


async def test_what_is_refused_again_is_asked_ever_less_often(pool: Database) -> None:
    await read(pool, FilesFixture(pool), "A refused one.", "Another refused one.")
    embeddings, now = FakeEmbeddings(), 0.0
    making = PassageEmbedder(
        PassageVectorTable(pool), embeddings, interval_s=0.01, clock=lambda: now
    )
    tried: list[float] = []
    for now in range(0, 5 * 3600, 100):
        await free_claims(pool)
        with suppress(UpstreamRejected):
            assert not await making.embed_some()
            continue
        tried.append(now)
    assert tried == [0, 300, 900, 2100, 4500, 9300]


@pytest.mark.parametrize(
    "outage",
    [
        UpstreamUnreachable("It is down.", provider="p"),
        UpstreamLimited("Later.", provider="p"),
        UpstreamAuth("The server's key is old.", provider="p"),
        UpstreamQuota("The server's account is empty.", provider="p"),
        EndpointMissing("It has no embeddings.", provider="p"),
        Busy.now(),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_an_outage_is_no_fault_of_an_owner(pool: Database, outage: CartritaError) -> None:
    """However long it was, all are embedded five minutes after it."""
    files = FilesFixture(pool)
    await read(pool, files, "A hound.")
    embeddings, now = FakeEmbeddings(), 0.0
    making = PassageEmbedder(
        PassageVectorTable(pool), embeddings, interval_s=0.01, clock=lambda: now
    )
    embeddings.error = outage
    for attempt in range(4):
        now = 301.0 * attempt
        with pytest.raises(type(outage)):
            await making.embed_some()
        await free_claims(pool)
    await read(pool, files, "A puppy.", principal=BOB)
    embeddings.error = None
    assert await making.embed_some()
    assert embeddings.asked[-1][0] == BOB.owner_id
    assert not await making.embed_some()
    now = 1204.0
    assert await making.embed_some()


async def test_an_outage_pauses_all_of_it_ever_longer(
    pool: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Up to five minutes; what is an owner's own does not."""
    await read(pool, FilesFixture(pool), "A hound.", "A puppy.")
    embeddings, pauses = FakeEmbeddings(), list[float]()
    making = PassageEmbedder(
        PassageVectorTable(pool), embeddings, interval_s=2, clock=lambda: 1000.0 * len(pauses)
    )
    down = UpstreamUnreachable("It is down.", provider="p")
    errors: list[CartritaError | None] = [*[down] * 10, BudgetExhausted("Spent."), down, None]

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)
        if not errors:
            raise asyncio.CancelledError
        await free_claims(pool)
        embeddings.error = errors.pop(0)

    monkeypatch.setattr("cartrita.application.search.passage_embedder.asyncio.sleep", sleep)
    embeddings.error = errors.pop(0)
    with pytest.raises(asyncio.CancelledError):
        await making.run()
    assert pauses == [4, 8, 16, 32, 64, 128, 256, 300, 300, 300, 2, 4, 2]

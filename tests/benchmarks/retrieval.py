"""How fast files are indexed, and how fast their passages are found among 50,000."""

import random
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import replace
from itertools import accumulate
from operator import mul
from typing import Any

import asyncpg
import psutil
from sqlalchemy import text
from tests.benchmarks.database import PostgresServer
from tests.benchmarks.figures import Figures, milliseconds, ratio, report, table
from tests.benchmarks.options import Options

from cartrita.adapters.persistence.database import Database
from cartrita.adapters.persistence.file_reading import ReadingTable
from cartrita.adapters.persistence.files import FileTable
from cartrita.adapters.persistence.passage_vectors import PassageVectorTable
from cartrita.adapters.persistence.passages import PassageTable
from cartrita.adapters.persistence.search import FullText
from cartrita.adapters.postgres import DatabaseEndpoint
from cartrita.adapters.postgres.initdb import SUPERUSER
from cartrita.application.files.texts import FileTexts
from cartrita.application.search.meaning import MeaningSearch
from cartrita.domain.embeddings import EmbeddedPassage, Vector, unit_vector
from cartrita.domain.files import FilePage
from cartrita.domain.passages import PassageQuery
from cartrita.domain.search import SearchKind, SearchQuery
from cartrita.kit.ids import uuid7

_OWNER = "ann"
_MODEL = "bench/model"
_PASSAGES = 50_000
_PAGES = 500
_BATCH = 50
_DIMENSIONS = 384
_TOPICS = 100
_TOPICS_OF_ONE = 3
_NOISE = 0.8
_QUERIES = 100
_EXACT = 50
_NEAREST = 10
_NAIVE = 5
_SEED = 20261129
_FILE = """
INSERT INTO file_contents
  (id, owner_id, sha256, media_type, size, status, progress, pages, characters, attempt, changed_at)
VALUES (:content, :owner, sha256(uuid_send(:content)), 'text/plain', 1, 'stored', 0, 0, 0, 0, now())
"""
_ATTACHMENT = """
INSERT INTO attachments (id, owner_id, content_id, name, purpose, created_at)
VALUES (:id, :owner, :content, :name, 'assistants', now())
"""
_RANKED = """
SELECT content_id, page, text, ts_rank(search, query) AS score
FROM passages, to_tsquery('english', :words) AS query
WHERE owner_id = :owner AND search @@ query ORDER BY score DESC LIMIT 8
"""
_COMPARED_WITH_ALL = """
SELECT content_id, page, number FROM passage_vectors JOIN passage_embeddings
  USING (content_id, page, number)
WHERE owner_id = :owner ORDER BY vector::vector <#> CAST(:vector AS vector) LIMIT :limit
"""
Search = Callable[[str], Awaitable[object]]


class Language:
    """Words of which few are common and most are rare, as in the languages of people.

    The commonest stands in four passages of ten; `common` are the first fifty of them.
    """

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.words = self._words(30_000)
        self._topics = [self._direction() for _ in range(_TOPICS)]
        self._weights = list(accumulate(1 / (place + 40) for place in range(len(self.words))))

    def page(self) -> str:
        """A page of about 1,000 characters, which is one passage."""
        return " ".join(self.random.choices(self.words, cum_weights=self._weights, k=140))

    def common(self) -> str:
        """A question of four common words."""
        return " ".join(self.random.sample(self.words[:50], 4))

    def question(self) -> str:
        """A question of two common words, and two of the others."""
        common, rare = self.random.sample(self.words[:200], 2), self.random.sample(self.words, 2)
        return " ".join((*common, *rare))

    def beginning(self) -> str:
        """A common word, and the first letters of another."""
        common, begun = self.random.sample(self.words[:200], 2)
        return f"{common} {begun[:4]}"

    def vector(self) -> Vector:
        """A mixture of some of a hundred topics, and of noise.

        So far from what is nearest to it, and as hard to find by signs, as a vector that
        all-MiniLM-L6-v2 makes of a sentence. Any direction has nothing near to it.
        """
        shares = [self.random.random() for _ in range(_TOPICS_OF_ONE)]
        topics = self.random.sample(self._topics, _TOPICS_OF_ONE)
        mixed = unit_vector(sum(map(mul, shares, each)) for each in zip(*topics, strict=True))
        noise = self._direction()
        return unit_vector(a + _NOISE * b for a, b in zip(mixed, noise, strict=True))

    def _direction(self) -> Vector:
        return unit_vector(self.random.gauss(0, 1) for _ in range(_DIMENSIONS))

    def _words(self, count: int) -> list[str]:
        made: set[str] = set()
        while len(made) < count:
            syllables = (
                self.random.choice("bcdfghklmnprtvz") + self.random.choice("aiou")
                for _ in range(self.random.randint(2, 4))
            )
            made.add("".join(syllables) + self.random.choice(("", "k", "m", "t")))
        return self.random.sample(sorted(made), count)


class OneModel:
    """Embeddings that take no time."""

    model = _MODEL

    def __init__(self, language: Language) -> None:
        self._language = language

    async def embed(self, owner_id: str, texts: Sequence[str]) -> list[Vector]:
        return [self._language.vector() for _ in texts]


def measure(options: Options) -> None:
    """Indexing first, then each kind of search in turn."""
    with PostgresServer.opened() as postgres, postgres.database() as endpoint:
        options.run(_measure(endpoint, options))


async def _measure(endpoint: DatabaseEndpoint, options: Options) -> None:
    language = Language(_SEED)
    database = Database(endpoint.dsn())
    administrator: Any = await asyncpg.connect(replace(endpoint, user=SUPERUSER).dsn())
    try:
        await administrator.execute("CREATE EXTENSION vector")
        report(f"seed {_SEED}")
        report(table(f"{_PASSAGES:,} passages", {"indexing": await _index(database, language)}))
        await administrator.execute("VACUUM ANALYZE")
        server = psutil.Process(await administrator.fetchval("SELECT pg_backend_pid()")).parent()
        assert server is not None
        rows = await _search(database, language, options.rounds, server)
        recall = await _recall(database, language)
    finally:
        await administrator.close()
        await database.close()
    report(table(f"questions over {_PASSAGES:,} passages", rows))
    report(f"recall@{_NEAREST} of the vectors that are compared: {recall:.3f}")
    for kind in ("common", "mixed"):
        naive, ours = rows[f"naive, {kind} words"], rows[f"words, {kind} words"]
        report(ratio(f"naive over ours, {kind} words", naive["query p50 ms"], ours["query p50 ms"]))


async def _index(database: Database, language: Language) -> Figures:
    """As files are read, and then as a model embeds their passages."""
    queue = ReadingTable(database, silence_s=60)
    octets = 0
    words_s = 0.0
    for file in range(_PASSAGES // _PAGES):
        pages = [FilePage(number, language.page()) for number in range(1, _PAGES + 1)]
        octets += sum(len(page.text) for page in pages)
        await _receive(database, f"{file}.txt")
        began = time.perf_counter()
        task = await queue.claim()
        assert task is not None
        for start in range(0, _PAGES, _BATCH):
            await queue.add(task, pages[start : start + _BATCH], 0.5)
        await queue.finish(task, None)
        words_s += time.perf_counter() - began
    vectors = PassageVectorTable(database)
    vectors_s = 0.0
    while claimed := await vectors.claim(_MODEL, 64):
        embedded = [EmbeddedPassage(one.key, language.vector()) for one in claimed]
        began = time.perf_counter()
        await vectors.store(_MODEL, embedded)
        vectors_s += time.perf_counter() - began
    return {"MB/s": octets / words_s / 1e6, "embeddings stored/s": _PASSAGES / vectors_s}


async def _receive(database: Database, name: str) -> None:
    content = {"owner": _OWNER, "content": uuid7()}
    async with database.transaction() as connection:
        await connection.execute(text(_FILE), content)
        await connection.execute(text(_ATTACHMENT), {**content, "id": uuid7(), "name": name})


async def _search(
    database: Database, language: Language, rounds: int, server: psutil.Process
) -> dict[str, Figures]:
    store, index = FileTable(database), PassageTable(database)
    words = FileTexts(store, index)
    hybrid = FileTexts(
        store, index, MeaningSearch(PassageVectorTable(database), OneModel(language))
    )
    contenders: dict[str, tuple[Search, Callable[[], str], int]] = {
        "words, mixed words": (_best(words), language.question, _QUERIES),
        "words, common words": (_best(words), language.common, _QUERIES),
        "words and meaning, mixed words": (_best(hybrid), language.question, _QUERIES),
        "words and meaning, common words": (_best(hybrid), language.common, _QUERIES),
        "own search, beginnings": (_own(database), language.beginning, _QUERIES),
        "own search, mixed words": (_own(database), language.question, _QUERIES),
        "own search, common words": (_own(database), language.common, _QUERIES),
        "naive, mixed words": (_naive(database), language.question, _NAIVE),
        "naive, common words": (_naive(database), language.common, _NAIVE),
    }
    waits: dict[str, list[float]] = {name: [] for name in contenders}
    spent = dict.fromkeys(contenders, 0.0)
    for _ in range(rounds):
        for name, (search, question, count) in contenders.items():
            before = _cpu_seconds(server)
            waits[name] += [wait async for wait in _waits(search, question, count)]
            spent[name] += _cpu_seconds(server) - before
    return {
        name: {**milliseconds("query", each), "CPU ms": 1000 * spent[name] / len(each)}
        for name, each in waits.items()
    }


async def _recall(database: Database, language: Language) -> float:
    """The part of the nearest of all vectors that is found by those with the likest signs."""
    table, found = PassageVectorTable(database), 0
    for _ in range(_EXACT):
        vector = language.vector()
        query = PassageQuery(owner_id=_OWNER, text="", limit=_NEAREST)
        near = {one.place for one in await table.nearest(query, _MODEL, vector)}
        values = {"owner": _OWNER, "vector": str(vector.tolist()), "limit": _NEAREST}
        async with database.use() as connection:
            rows = await connection.execute(text(_COMPARED_WITH_ALL), values)
            found += len(near & {tuple(row) for row in rows})
    return found / (_EXACT * _NEAREST)


def _cpu_seconds(server: psutil.Process) -> float:
    """Of the database's processes and of this one: what a busy machine does not change much."""
    times = [one.cpu_times() for one in (*server.children(), psutil.Process())]
    return sum(one.user + one.system for one in times)


def _best(texts: FileTexts) -> Search:
    return lambda question: texts.best(_OWNER, question, None, 8)


def _own(database: Database) -> Search:
    """What `GET` and `POST /api/search` ask about files."""
    index, kinds = FullText(database), frozenset({SearchKind.FILE})
    return lambda words: index.search(SearchQuery(owner_id=_OWNER, text=words, kinds=kinds))


def _naive(database: Database) -> Search:
    """PostgreSQL's ranking of all passages with any of the words."""

    async def search(question: str) -> object:
        values = {"owner": _OWNER, "words": question.replace(" ", " | ")}
        async with database.use() as connection:
            return (await connection.execute(text(_RANKED), values)).all()

    return search


async def _waits(search: Search, question: Callable[[], str], count: int) -> AsyncGenerator[float]:
    for _ in range(count):
        asked = question()
        began = time.perf_counter()
        await search(asked)
        yield time.perf_counter() - began

"""Full text over what an owner has stored: finds what people mean, breaks on nothing."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.backend.adapters.persistence.test_passage_vectors import read, recorded
from tests.harness.database import TemporaryDatabase
from tests.harness.rows import (
    ANN,
    BEGIN,
    BOB,
    execute,
    stored_branch,
    stored_conversation,
)

from cartrita.adapters.persistence.database import Database
from cartrita.adapters.persistence.passage_words import MOST_COMPARED
from cartrita.adapters.persistence.search import FullText
from cartrita.domain.search import SearchHit, SearchKind, SearchQuery, SearchResults, SortBy
from cartrita.kit.ids import public

HOSTILE = [
    "",
    " \t\n ",
    "'; drop table messages; --",
    ":*|&!()<->",
    "a & b | !c <-> (d",
    "\x00",
    "zebra\x00crossing",
    "\ud800 lone",
    "x" * 10_000,
    "zebra " * 2_000,
    "-" * 5_000,
    "\U0001f600\U0001f468‍\U0001f469‍\U0001f467",
    "the and of",
    '"unbalanced',
    '"" "" ""',
    "or",
    "zebra or",
    "-zebra",
    "--zebra",
    "%_\\%",
    "\\",
    "e\u0301\u0301\u0301",
    "\u202eright to left\u202d",
    "東京",
    "https://user:pass@example.org/a?b=1&c=2#'",
    "<b>bold</b> &amp; <script>",
    "a" * 3_000 + ":*",
    "١٢٣ ²³ ①",
    "_",
    "__ ___:*",
]


@pytest.fixture
def index(pool: Database) -> FullText:
    return FullText(pool)


async def search(index: FullText, text: str, owner_id: str = ANN, **values: Any) -> SearchResults:
    given_: dict[str, Any] = {"kinds": frozenset(SearchKind), **values}
    return await index.search(SearchQuery(owner_id=owner_id, text=text, **given_))


async def snippets(index: FullText, text: str, **values: Any) -> list[str]:
    return [found.snippet for found in (await search(index, text, **values)).hits]


FINDS_IT = [
    "crossing",
    "crossings",  # another form of the word
    "ZEBRA",
    "zebra crossing",
    "crossing zebra",
    "zebra cros",  # not yet typed to its end
    "cros",
    '"zebra crossing"',
    "zebra -lion",
    "lion or zebra",
    "the zebra",
]
DOES_NOT = [
    "zebra lion",
    '"crossing zebra"',
    "crossing -zebra",
    "zeb cross",
    "lion or tiger",
    '"zebra cr',
]
BY_LETTERS = [
    ("明日東京に行きます", "東京"),
    ("明日大阪に行きます", "大阪 明日"),
    ("Где находится Красная площадь?", "красная"),
    ("100% of it", "100%"),
    ("to be or not to be", "to be"),
    ("say :-) please", ":-)"),
    ("party \U0001f389 tonight", "\U0001f389"),
    ("a_b and c\\d", "_"),
]


async def test_words_as_people_type_them(
    index: FullText, pool: Database, subtests: pytest.Subtests
) -> None:
    talk = await stored_conversation(pool)
    await stored_branch(pool, talk, "Where is the zebra crossing?", "nothing here")
    for typed in FINDS_IT:
        with subtests.test(typed):
            assert await snippets(index, typed) == ["Where is the zebra crossing?"]
    for typed in DOES_NOT:
        with subtests.test(typed):
            assert (await search(index, typed)).total == 0


async def test_what_the_dictionary_does_not_know_is_found_by_its_letters(
    index: FullText, pool: Database, subtests: pytest.Subtests
) -> None:
    talk = await stored_conversation(pool)
    await stored_branch(pool, talk, *(stored for stored, _ in BY_LETTERS), "nothing here")
    for stored, typed in BY_LETTERS:
        with subtests.test(typed):
            assert await snippets(index, typed) == [stored]


async def test_a_result_says_what_and_where_it_is(index: FullText, pool: Database) -> None:
    talk = await stored_conversation(pool, title="Zebra facts", external_id="mine")
    [message] = await stored_branch(pool, talk, "Tell me about the zebra")
    found = await search(index, "zebra")
    assert found.total == 2
    by_kind = {result.kind: result for result in found.hits}
    title, text = by_kind[SearchKind.CONVERSATION], by_kind[SearchKind.MESSAGE]
    assert (title.id, title.conversation_id, title.title) == ("mine", "mine", "Zebra facts")
    assert title.snippet == "Zebra facts"
    assert (text.id, text.conversation_id) == (public("msg", message.id), "mine")
    assert (text.title, text.snippet) == ("Zebra facts", "Tell me about the zebra")
    assert text.timestamp == message.created_at
    assert text.metadata == {"role": "user"}


async def test_a_conversation_without_a_name_of_its_own_has_our_id(
    index: FullText, pool: Database
) -> None:
    talk = await stored_conversation(pool, title="Zebra")
    [found] = (await search(index, "zebra")).hits
    assert found.id == public("conv", talk.id)


async def test_a_snippet_is_plain_text_around_the_words(index: FullText, pool: Database) -> None:
    talk = await stored_conversation(pool)
    filler = "word " * 500
    await stored_branch(pool, talk, f"{filler}the <b>zebra</b>\n\n\tcrossing{' word' * 500}")
    [snippet] = await snippets(index, "zebra")
    assert "zebra" in snippet
    assert not {"<", ">", "\n"} & set(snippet)
    assert len(snippet) < 400
    await stored_branch(pool, talk, f"{'я ' * 500}зебра{' я' * 500}")
    [snippet] = await snippets(index, "зебра")
    assert "зебра" in snippet
    assert len(snippet) < 400


async def test_kinds_are_chosen(index: FullText, pool: Database) -> None:
    talk = await stored_conversation(pool, title="Zebra")
    await stored_branch(pool, talk, "a zebra")
    for kind in (SearchKind.CONVERSATION, SearchKind.MESSAGE):
        found = await search(index, "zebra", kinds=frozenset({kind}))
        assert [result.kind for result in found.hits] == [kind]
        assert found.total == 1
    elsewhere = frozenset({SearchKind.FILE, SearchKind.AGENT})
    assert await search(index, "zebra", kinds=elsewhere) == SearchResults((), 0)
    assert await search(index, "zebra", kinds=frozenset[SearchKind]()) == SearchResults((), 0)


async def test_files_are_hits_by_their_passages_and_their_names(
    index: FullText, pool: Database
) -> None:
    talk = await stored_conversation(pool, title="Zebra", external_id="mine")
    file = await read(pool, "lions", "zebra zebra", "A zebra crossing", "lions")
    theirs = await read(pool, "zebra", owner_id=BOB)
    found = await search(index, "zebra crossing", kinds=frozenset({SearchKind.FILE}))
    assert found.total == 1
    [hit] = found.hits
    assert (hit.kind, hit.id, hit.conversation_id) == (SearchKind.FILE, file.public_id, None)
    assert (hit.title, hit.snippet, hit.timestamp) == (
        "a.txt",
        "A zebra crossing",
        file.created_at,
    )
    [named] = (await search(index, "a.txt")).hits
    assert (named.id, named.snippet) == (file.public_id, "a.txt")
    kinds = {hit.kind: hit.id for hit in (await search(index, "zebra")).hits}
    assert kinds == {SearchKind.CONVERSATION: "mine", SearchKind.FILE: file.public_id}
    [other] = (await search(index, "zebra", owner_id=BOB)).hits
    assert other.id == theirs.public_id
    assert talk.owner_id == ANN
    later = file.created_at + timedelta(days=1)
    assert (await search(index, "crossing", since=later)).total == 0


@pytest.mark.parametrize(
    ("words", "names"),
    [
        ("blue pump", {"one", "two"}),
        ("pump blue gate", {"two"}),
        ('"blue pump"', {"one"}),
        ("pump -gate", {"one", "two"}),
        ("gate or lions", {"two", "three"}),
        ("pumps", {"one", "two"}),
        ("blue lions", set()),
        ("the", {"three"}),
        ("lio", {"three"}),
        ("blue pum", {"one", "two"}),
        ("pump gat", {"two"}),
        ("li", set()),
        ("gat blue", set()),
        ('"blue pum', set()),
        ("gate or lio", {"two"}),
        ("pump -gat", {"one", "two"}),
        ("-pump", {"three"}),
        ("blue - gate.", {"one"}),
        ("- pump.", {"three"}),
        ("blue_pump", {"one"}),
        ("blue_pum", {"one"}),
        ("blue/pump", set()),
    ],
)
async def test_words_in_files(index: FullText, pool: Database, words: str, names: set[str]) -> None:
    made = {
        "one": await read(pool, "A blue pump", digest="01"),
        "two": await read(pool, "Pump", "A gate, a pump that is blue", digest="02"),
        "three": await read(pool, "the lions", digest="03"),
    }
    named = {file.public_id: name for name, file in made.items()}
    found = await search(index, words, kinds=frozenset({SearchKind.FILE}))
    assert {named[hit.id] for hit in found.hits} == names


async def test_passages_are_found_by_the_index_of_their_owners_words(
    index: FullText, pool: Database
) -> None:
    """That of all words has what others have stored."""
    await read(pool, "zebra")
    statements: list[str] = []
    with recorded(statements):
        await search(index, "zebra", kinds=frozenset({SearchKind.FILE}))
    [asked] = [one for one in statements if "passages" in one]
    assert "cartrita_owned_words(passages.owner_id, passages.search) @@" in asked
    async with pool.use() as connection:
        rows = await connection.exec_driver_sql(
            "SELECT indexdef FROM pg_indexes WHERE tablename = 'passages' AND indexdef ~ 'gin'"
        )
        [indexed] = rows.scalars()
    assert "gin (cartrita_owned_words(owner_id, search))" in indexed


async def test_a_file_with_many_passages_leaves_room_for_the_others(
    index: FullText, pool: Database
) -> None:
    """Of each file so many passages are compared, and not of all files together."""
    await read(pool, *["the zebra"] * (MOST_COMPARED + 50))
    others = [
        await read(pool, f"the zebra in {number}", digest=f"0{number}") for number in (1, 2, 3)
    ]
    for words in ("zebra", "the"):
        found = await search(index, words, kinds=frozenset({SearchKind.FILE}))
        assert found.total == 4
        assert {hit.id for hit in found.hits} > {file.public_id for file in others}


async def test_orders(index: FullText, pool: Database, database: TemporaryDatabase) -> None:
    for days, (title, text) in enumerate(
        [
            ("b", "zebra zebra zebra zebra"),
            ("C", "a zebra among very many other words that say nothing of interest at all"),
            ("a", "one zebra, one lion"),
        ]
    ):
        talk = await stored_conversation(pool, title=title)
        [message] = await stored_branch(pool, talk, text)
        later = BEGIN + timedelta(days=days)
        await execute(
            database.dsn, "UPDATE messages SET created_at = $2 WHERE id = $1", message.id, later
        )

    async def titles(sort_by: SortBy) -> list[str]:
        return [found.title for found in (await search(index, "zebra", sort_by=sort_by)).hits]

    assert await titles(SortBy.RELEVANCE) == ["b", "a", "C"]
    assert await titles(SortBy.DATE) == ["a", "C", "b"]
    assert await titles(SortBy.TITLE) == ["a", "b", "C"]


async def test_a_date_is_a_limit(index: FullText, pool: Database) -> None:
    talk = await stored_conversation(pool, title="Zebra")
    await stored_branch(pool, talk, "a zebra", "another zebra")
    late = BEGIN + timedelta(seconds=1)
    texts = frozenset({SearchKind.MESSAGE})
    assert await snippets(index, "zebra", since=late, kinds=texts) == ["another zebra"]
    titles = frozenset({SearchKind.CONVERSATION})
    far = BEGIN + timedelta(days=36500)
    assert await snippets(index, "zebra", since=far, kinds=titles) == []


async def test_a_conversation_is_left_out(index: FullText, pool: Database) -> None:
    present = await stored_conversation(pool, title="Zebra now")
    earlier = await stored_conversation(pool, title="Zebra then")
    await stored_branch(pool, present, "a zebra now")
    await stored_branch(pool, earlier, "a zebra then")
    found = await search(index, "zebra", without=present.id)
    assert found.total == 2
    assert {hit.conversation_id for hit in found.hits} == {earlier.public_id}


async def test_pages_and_the_total(index: FullText, pool: Database) -> None:
    talk = await stored_conversation(pool)
    await stored_branch(pool, talk, *(f"zebra {n}" for n in range(7)))
    seen: list[SearchHit] = []
    for offset in (0, 3, 6):
        page = await search(index, "zebra", limit=3, offset=offset)
        assert page.total == 7
        seen += page.hits
    assert len({found.id for found in seen}) == 7
    assert await search(index, "zebra", limit=3, offset=50) == SearchResults((), 7)


async def test_nothing_of_others_is_found(index: FullText, pool: Database) -> None:
    talk = await stored_conversation(pool, BOB, title="Bob's zebra 東京")
    await stored_branch(pool, talk, "zebra of Bob 東京 the")
    for typed in ("zebra", "東京", "the", "-lion", "' OR 1=1 --", "%", "_", "bob's", "zeb"):
        assert await search(index, typed) == SearchResults((), 0)
        assert await index.passages(ANN, typed, 5) == []
    assert (await search(index, "zebra", BOB)).total == 2


async def test_queued_messages_are_not_found(
    index: FullText, pool: Database, database: TemporaryDatabase
) -> None:
    talk = await stored_conversation(pool)
    await stored_branch(pool, talk, "a zebra 東京")
    await execute(database.dsn, "UPDATE messages SET status = 'queued'")
    for typed in ("zebra", "東京"):
        assert (await search(index, typed)).total == 0
        assert await index.passages(ANN, typed, 5) == []


async def test_passages_hold_any_of_the_words_the_best_first(
    index: FullText, pool: Database
) -> None:
    talk = await stored_conversation(pool)
    await stored_branch(
        pool,
        talk,
        "The backup runs at night.",
        "PostgreSQL keeps a backup on the second disk.",
        "Nothing to see.",
        "The backup runs at night.",
    )
    found = await index.passages(ANN, "Where does postgresql keep the backup?", 5)
    assert found == ["PostgreSQL keeps a backup on the second disk.", "The backup runs at night."]
    assert await index.passages(ANN, "where is the backup disk", 1) == found[:1]
    assert await index.passages(ANN, "the of and", 5) != []  # by letters
    assert await index.passages(ANN, "", 5) == []


async def test_answers_of_the_offline_provider_are_no_passages(
    index: FullText, pool: Database, database: TemporaryDatabase
) -> None:
    talk = await stored_conversation(pool)
    await stored_branch(pool, talk, "a zebra", "[1] “a zebra” [2] “zebra”")
    await execute(database.dsn, "UPDATE messages SET provider = 'offline' WHERE depth = 1")
    assert await index.passages(ANN, "zebra", 5) == ["a zebra"]


async def test_passages_in_other_letters(index: FullText, pool: Database) -> None:
    talk = await stored_conversation(pool)
    await stored_branch(pool, talk, "резервная копия на диске", "ничего", "копия")
    found = await index.passages(ANN, "где копия диске", 5)
    assert found == ["резервная копия на диске", "копия"]


async def test_no_query_is_an_error(
    index: FullText, pool: Database, subtests: pytest.Subtests
) -> None:
    mine, others = await stored_conversation(pool), await stored_conversation(pool, BOB)
    await stored_branch(pool, mine, "zebra the % _ \\ or x")
    await stored_branch(pool, others, "zebra the % _ \\ or x")
    for typed in HOSTILE:
        with subtests.test(typed[:20].encode("unicode_escape").decode()):
            found = await search(index, typed)
            assert {result.conversation_id for result in found.hits} <= {mine.public_id}
            assert len(await index.passages(ANN, typed, 5)) <= 1


def test_no_text_at_all_is_an_error(database: TemporaryDatabase) -> None:
    with asyncio.Runner() as loop:
        pool = Database(database.dsn, pool_size=1)

        @settings(max_examples=100, derandomize=True, deadline=None)
        @given(
            st.text(st.characters(), max_size=40)
            | st.text("ab\"'-:*&|!()<>\\% or\x00", max_size=60)
        )
        def holds(typed: str) -> None:
            loop.run(_finds_nothing(FullText(pool), typed))

        holds()
        loop.run(pool.close())


async def _finds_nothing(index: FullText, typed: str) -> None:
    assert await search(index, typed) == SearchResults((), 0)
    assert await index.passages(ANN, typed, 3) == []

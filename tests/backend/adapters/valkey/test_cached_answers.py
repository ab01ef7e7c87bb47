"""The cache of answers in a real Valkey."""

from collections.abc import AsyncGenerator, Sequence
from datetime import timedelta
from typing import Any

import pytest
from tests.harness.valkey import Valkey

from cartrita.adapters.valkey.cached_answers import ValkeyAnswers
from cartrita.adapters.valkey.server import Argument, LuaScript, ValkeyServer
from cartrita.domain.cached_answers import CacheBounds, CachedAnswer, CacheKey, RelayedBytes
from cartrita.domain.deltas import Finished, FinishReason, TextDelta
from cartrita.domain.receipts import Receipt
from cartrita.domain.usage import Usage
from cartrita.kit.secret import Secret, derive_secret

INSTALLATION = derive_secret(Secret("s" * 32), "cached answers")
PREFIX = f"cartrita:answers:{INSTALLATION.reveal()[:32]}"
INDEXES = {f"{PREFIX}:{name}".encode() for name in ("by_end", "by_age", "sizes")}


def key(name: str, owner_id: str = "ann") -> CacheKey:
    return CacheKey(owner_id, name.encode())


def answer(text: str = "Hi") -> CachedAnswer:
    return CachedAnswer(
        provider="p",
        model="m",
        deltas=(TextDelta(text), Finished(FinishReason.STOP, Usage(1, 2))),
        receipts=(Receipt("seed", "openai_chat", "anthropic_messages", "dropped", "No seed."),),
        relayed=RelayedBytes(b"hash", text.encode()),
    )


@pytest.fixture
async def server(shared_server: Valkey, raw: Any) -> AsyncGenerator[ValkeyServer]:
    opened = ValkeyServer(Secret(shared_server.url), timeout_s=10)
    yield opened
    await opened.close()


@pytest.fixture
def answers(server: ValkeyServer) -> ValkeyAnswers:
    return ValkeyAnswers(server, INSTALLATION)


async def entries_of(raw: Any) -> set[bytes]:
    return set(await raw.keys(f"{PREFIX}:*")) - INDEXES


async def let_pass(raw: Any, time: timedelta) -> None:
    """As if so much time had gone by: what was put is older, and ends sooner."""
    milliseconds = int(time / timedelta(milliseconds=1))
    for name in await entries_of(raw):
        await raw.hincrby(name, "stored_at", -milliseconds)
        await raw.pexpireat(name, await raw.pexpiretime(name) - milliseconds)
        for index in ("by_end", "by_age"):
            await raw.zincrby(f"{PREFIX}:{index}", -milliseconds, name)


async def test_another_process_finds_what_was_put(
    shared_server: Valkey, answers: ValkeyAnswers
) -> None:
    other = ValkeyServer(Secret(shared_server.url), timeout_s=10)
    try:
        assert await answers.get(key("a"), 60) is None
        await answers.put(key("a"), answer(), 60)
        assert await answers.get(key("a", "bob"), 60) is None
        assert await ValkeyAnswers(other, INSTALLATION).get(key("a"), 60) == answer()
        await answers.put(key("a"), answer("newer"), 60)
        assert await ValkeyAnswers(other, INSTALLATION).get(key("a"), 60) == answer("newer")
    finally:
        await other.close()


async def test_the_server_ends_it(raw: Any, answers: ValkeyAnswers) -> None:
    await answers.put(key("a"), answer(), 60)
    (name,) = await entries_of(raw)
    assert name.startswith(f"{PREFIX}:ann:".encode())
    assert 50_000 < await raw.pttl(name) <= 60_000
    await let_pass(raw, timedelta(seconds=60))
    assert await answers.get(key("a"), 86_400) is None
    assert await entries_of(raw) == set()


async def test_one_that_ended_counts_no_longer(raw: Any, answers: ValkeyAnswers) -> None:
    await answers.put(key("old"), answer(), 60)
    await let_pass(raw, timedelta(seconds=60))
    await answers.put(key("a"), answer(), 60)
    assert await raw.zcard(f"{PREFIX}:by_age") == await raw.zcard(f"{PREFIX}:by_end") == 1
    sizes = await raw.hgetall(f"{PREFIX}:sizes")
    assert len(sizes) == 2
    assert len(set(sizes.values())) == 1  # that of the only one, and the total


async def test_a_reader_who_wants_a_younger_one_gets_none(raw: Any, answers: ValkeyAnswers) -> None:
    await answers.put(key("a"), answer(), 86_400)
    await let_pass(raw, timedelta(hours=1))
    assert await answers.get(key("a"), 60) is None
    assert await answers.get(key("a"), 7200) == answer()


async def test_a_reader_who_wants_a_younger_one_shortens_nothing(
    raw: Any, answers: ValkeyAnswers
) -> None:
    await answers.put(key("a"), answer(), 86_400)
    await let_pass(raw, timedelta(hours=1))
    await answers.put(key("a"), answer("newer"), 60)
    await let_pass(raw, timedelta(hours=1))
    assert await answers.get(key("a"), 60) is None
    assert await answers.get(key("a"), 86_400) == answer("newer")
    await let_pass(raw, timedelta(hours=23))
    assert await answers.get(key("a"), 86_400) is None


async def test_a_reader_who_takes_older_ones_keeps_it_longer(
    raw: Any, answers: ValkeyAnswers
) -> None:
    await answers.put(key("a"), answer(), 60)
    assert await answers.get(key("a"), 3600) == answer()
    await let_pass(raw, timedelta(minutes=59))
    await answers.put(key("b"), answer(), 60)
    assert await answers.get(key("a"), 3600) == answer()
    await let_pass(raw, timedelta(minutes=1))
    assert await answers.get(key("a"), 86_400) is None


async def test_entries_and_bytes_are_bounded(raw: Any, server: ValkeyServer) -> None:
    few = ValkeyAnswers(
        server, INSTALLATION, CacheBounds(entries=2, total_bytes=4000, entry_bytes=2000)
    )
    for name in "abc":
        await few.put(key(name), answer(), 60)
        await let_pass(raw, timedelta(seconds=1))
    assert [await few.get(key(name), 60) is not None for name in "abc"] == [False, True, True]
    for name in "dede":
        await few.put(key(name), answer("x" * 800), 60)  # its text is in it twice
        await let_pass(raw, timedelta(seconds=1))
    assert [await few.get(key(name), 60) is not None for name in "cde"] == [False, True, True]
    small = ValkeyAnswers(server, INSTALLATION, CacheBounds(total_bytes=2500))
    await small.put(key("f"), answer(), 60)
    assert [await few.get(key(name), 60) is not None for name in "def"] == [False, True, True]
    assert len(await entries_of(raw)) == 2


@pytest.mark.parametrize("lost", [name.decode() for name in sorted(INDEXES)])
async def test_an_index_that_the_server_threw_away_is_made_anew(
    raw: Any, server: ValkeyServer, lost: str
) -> None:
    few = ValkeyAnswers(server, INSTALLATION, CacheBounds(entries=3, total_bytes=4000))
    for name in "ab":
        await few.put(key(name), answer("x" * 800), 60)
    await raw.delete(lost)
    for name in "cde":
        await few.put(key(name), answer("x" * 800), 60)
        await let_pass(raw, timedelta(seconds=1))
        assert await few.get(key(name), 60) is not None
    assert await few.get(key("c"), 60) is None


async def test_one_that_is_too_long_is_not_kept(raw: Any, server: ValkeyServer) -> None:
    small = ValkeyAnswers(server, INSTALLATION, CacheBounds(entry_bytes=2000))
    await small.put(key("long"), answer("x" * 2000), 60)
    smaller = ValkeyAnswers(server, INSTALLATION, CacheBounds(total_bytes=2000))
    await smaller.put(key("long"), answer("x" * 2000), 60)
    assert await entries_of(raw) == set()


async def test_what_another_version_wrote_is_no_answer(raw: Any, answers: ValkeyAnswers) -> None:
    await answers.put(key("a"), answer(), 60)
    (name,) = await entries_of(raw)
    await raw.hset(name, "answer", b"\x80")
    assert await answers.get(key("a"), 60) is None


async def test_installations_share_no_answers(raw: Any, server: ValkeyServer) -> None:
    ours = ValkeyAnswers(server, INSTALLATION, CacheBounds(entries=1))
    theirs = ValkeyAnswers(server, derive_secret(Secret("t" * 32), "cached answers"))
    await ours.put(key("a"), answer(), 60)
    assert await theirs.get(key("a"), 60) is None
    await theirs.put(key("a"), answer("theirs"), 60)
    assert await ours.get(key("a"), 60) == answer()
    assert await theirs.get(key("a"), 60) == answer("theirs")


@pytest.mark.parametrize("reply", [[b"cartrita:answers:bob:00", b"of bob"], 1, b"OK", [1, 2]])
async def test_the_answer_to_another_one_is_none(reply: object) -> None:
    class MixedUp(ValkeyServer):
        dropped = 0

        async def run(
            self, script: LuaScript, keys: Sequence[str], arguments: Sequence[Argument]
        ) -> object:
            return reply

        async def drop_connections(self) -> None:
            self.dropped += 1

    server = MixedUp(Secret("valkey://127.0.0.1:1"))
    assert await ValkeyAnswers(server, INSTALLATION).get(key("a"), 60) is None
    assert server.dropped == 1
    await server.close()

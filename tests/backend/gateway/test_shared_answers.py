"""Equal requests share an answer; nobody waits for one who went away."""

import asyncio
from typing import Any

import pytest
from msgspec.structs import replace
from tests.backend.gateway.fakes import (
    DONE,
    REQUEST,
    Ledger,
    NamedProvider,
    RelayingProvider,
    Time,
    answer_to,
    call,
    create_gateway,
    cut,
    items_of,
    relayed_call,
    text_of,
)

from cartrita.domain.cached_answers import CachedAnswer
from cartrita.domain.deltas import Accepted, Finished, FinishReason, TextDelta
from cartrita.domain.errors import InvalidInput, Unavailable, UpstreamRejected
from cartrita.domain.ids import ConversationId, RunId
from cartrita.domain.requests import ModelRequest
from cartrita.domain.run_parts import RunPart
from cartrita.domain.tools import ToolSpec
from cartrita.domain.usage import Usage
from cartrita.gateway.answers import Answer
from cartrita.gateway.calls import CacheWish, Call
from cartrita.gateway.gateway import Gateway
from cartrita.gateway.routes import Route, Target
from cartrita.kit.ids import uuid7

WISH = CacheWish(60.0)


async def asked_twice(gateway: Gateway, asked: Call) -> tuple[str | None, str | None]:
    first, _ = await answer_to(gateway, asked)
    second, _ = await answer_to(gateway, asked)
    return first.cache, second.cache


async def test_the_second_one_hits() -> None:
    told, ledger, time = NamedProvider("p"), Ledger(), Time()
    gateway = create_gateway(told, ledger=ledger, time=time)
    first, items = await answer_to(gateway, call("p/m", cache=WISH))
    second, again = await answer_to(gateway, call("p/m", cache=WISH, streamed=False))
    assert (first.cache, second.cache) == ("miss", "hit")
    assert again == items
    assert (second.provider, second.model, second.relayed) == ("p", "m", False)
    assert len(told.requests) == len(ledger.entries) == 1
    time.now += 60
    assert await asked_twice(gateway, call("p/m", cache=WISH)) == ("miss", "hit")


async def test_the_bytes_of_a_relay_answer_the_same_request_again() -> None:
    gateway = create_gateway(RelayingProvider("a", [b"Hel\nlo\n#unknown\n", b".usage\n"]))
    bodies = [b'{"model":"m","stream":true}', b'{ "stream": true, "model": "m" }']
    asked = [relayed_call("a/m", body=body, cache=WISH) for body in bodies]
    first, relayed = await answer_to(gateway, asked[0])
    second, again = await answer_to(gateway, asked[1])
    assert (first.cache, second.cache, second.relayed) == ("miss", "hit", True)
    assert again == [b"".join(one for one in relayed if isinstance(one, bytes))]
    assert second.monitor is None
    assert not second.headers


async def test_who_asks_by_another_name_gets_no_bytes_that_tell_the_first() -> None:
    told = RelayingProvider("a", [b"Hel\nlo\n.usage\n"])
    gateway = create_gateway(told)
    await answer_to(gateway, relayed_call("a/m", cache=WISH))
    for name, relayed in (("m", False), ("a/m", True)):
        answer, _ = await answer_to(gateway, relayed_call(name, cache=WISH))
        assert (answer.cache, answer.relayed) == ("hit", relayed)
    assert len(told.relayed) == 1


async def test_a_kept_answer_tells_the_name_that_its_provider_gave() -> None:
    finished = Finished(FinishReason.STOP, Usage(1, 2), "m-2026")
    accepted = Accepted("p", "m", answered_as="m-2026")
    gateway = create_gateway(NamedProvider("p", [accepted, TextDelta("Hi"), finished]))
    first, items = await answer_to(gateway, call("p/m", cache=WISH))
    second, again = await answer_to(gateway, call("m", cache=WISH))
    assert (first.cache, second.cache, second.answered_as) == ("miss", "hit", "m-2026")
    assert items[0] == again[0] == accepted


async def test_another_form_of_the_request_gets_deltas() -> None:
    gateway = create_gateway(RelayingProvider("a", [b"Hel\nlo\n.usage\n"]))
    _, relayed = await answer_to(gateway, relayed_call("a/m", body=b'{"stream":true}', cache=WISH))
    for asked in (relayed_call("a/m", body=b"{}", cache=WISH), call("a/m", cache=WISH)):
        answer, deltas = await answer_to(gateway, asked)
        assert (answer.cache, answer.relayed) == ("hit", False)
        assert text_of(deltas) == text_of(relayed) == "Hello"
        assert deltas[0] == Accepted("a", "m")
        assert deltas[-1] == Finished(FinishReason.STOP, Usage(7, 8))


async def test_a_request_that_only_its_provider_understands_is_not_kept() -> None:
    def refuse() -> ModelRequest:
        raise InvalidInput.of("modalities", "no")

    told = RelayingProvider("a", [b"Hello\n.\n"])
    gateway = create_gateway(told)
    asked = replace(relayed_call("a/m", cache=WISH), parse=refuse)
    assert await asked_twice(gateway, asked) == (None, None)
    assert len(told.relayed) == 2


@pytest.mark.parametrize(
    "values",
    [
        {"cache": None},
        {"cache": CacheWish(0)},
        {"cache": WISH, "choices": 2},
        {"cache": WISH, "part": RunPart(RunId(uuid7()), ConversationId(uuid7()), "assistant")},
    ],
)
async def test_who_does_not_want_it_gets_a_new_one(values: dict[str, Any]) -> None:
    gateway = create_gateway(NamedProvider("p"))
    assert await asked_twice(gateway, call("p/m", **values)) == (None, None)


async def test_nor_is_an_answer_kept_where_tools_are_in_use() -> None:
    request = replace(REQUEST, tools=(ToolSpec("f", "", {}),))
    gateway = create_gateway(NamedProvider("p"))
    assert await asked_twice(gateway, call("p/m", request, cache=WISH)) == (None, None)


async def test_a_wish_without_an_age_takes_the_usual_one() -> None:
    time = Time()
    gateway = create_gateway(NamedProvider("p"), time=time, cache_ttl=5.0)
    assert await asked_twice(gateway, call("p/m", cache=CacheWish())) == ("miss", "hit")
    time.now += 5
    assert await asked_twice(gateway, call("p/m", cache=CacheWish())) == ("miss", "hit")


async def test_one_that_is_older_than_the_reader_wants_is_replaced() -> None:
    told, time = NamedProvider("p"), Time()
    gateway = create_gateway(told, time=time)
    await answer_to(gateway, call("p/m", cache=CacheWish(86_400)))
    time.now += 3600
    assert await asked_twice(gateway, call("p/m", cache=WISH)) == ("miss", "hit")
    assert len(told.requests) == 2


async def test_a_route_may_ask_for_it() -> None:
    routes = {"r": Route(targets=(Target("p/m"),), cache_ttl=10)}
    gateway = create_gateway(NamedProvider("p"), routes=routes)
    assert await asked_twice(gateway, call("r")) == ("miss", "hit")
    assert await asked_twice(gateway, call("r", owner_id="other")) == ("miss", "hit")
    assert await asked_twice(gateway, call("r", cache=CacheWish(0))) == (None, None)


@pytest.mark.parametrize(
    "script", [[Finished(FinishReason.CONTENT_FILTER, Usage(1, 1))], [TextDelta("a"), DONE]]
)
async def test_only_whole_answers_are_kept(script: Any) -> None:
    gateway = create_gateway(NamedProvider("p", script))
    second = "hit" if script[-1] is DONE else "miss"
    assert await asked_twice(gateway, call("p/m", cache=WISH)) == ("miss", second)


async def test_what_was_left_or_too_long_is_not_kept() -> None:
    gateway = create_gateway(NamedProvider("p"))
    async with gateway.open(call("p/m", cache=WISH)) as answer:
        await anext(answer.items)
    assert await asked_twice(gateway, call("p/m", cache=WISH)) == ("miss", "hit")
    gateway = create_gateway(RelayingProvider("a", [b"x" * 2000 + b"\n.\n"]))
    assert await asked_twice(gateway, relayed_call("a/m", cache=WISH)) == ("miss", "miss")


async def test_a_continued_relay_is_kept_whole() -> None:
    told = RelayingProvider("a", [b"The answer is for\n", cut()], scripts=[[TextDelta("ty"), DONE]])
    gateway = create_gateway(told)
    await answer_to(gateway, relayed_call("a/m", cache=WISH))
    _, items = await answer_to(gateway, relayed_call("a/m", cache=WISH))
    assert text_of(items) == "The answer is forty"


class BrokenCache:
    async def get(self, key: bytes, longest: float) -> CachedAnswer | None:
        raise Unavailable("away")

    async def put(self, key: bytes, answer: CachedAnswer, ttl: float) -> None:
        raise Unavailable("away")


async def test_a_cache_that_is_away_is_empty() -> None:
    gateway = create_gateway(NamedProvider("p"), cache=BrokenCache())
    assert await asked_twice(gateway, call("p/m", cache=WISH)) == ("miss", "miss")


class TestTogether:
    async def test_one_is_asked(self) -> None:
        go = asyncio.Event()
        told = NamedProvider("p", [TextDelta("Hi"), go, DONE])
        gateway = create_gateway(told)
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(answer_to(gateway, call("p/m", cache=WISH))) for _ in range(5)
            ]
            await asyncio.sleep(0)
            go.set()
        assert len(told.requests) == 1
        assert [text_of(task.result()[1]) for task in tasks] == ["Hi"] * 5
        assert sorted(str(task.result()[0].cache) for task in tasks) == ["hit"] * 4 + ["miss"]

    async def test_if_the_one_who_asked_leaves_another_asks(self) -> None:
        told = NamedProvider("p", [TextDelta("Hi"), asyncio.Event()], [TextDelta("Ho"), DONE])
        gateway = create_gateway(told)
        results: list[tuple[Answer, str]] = []

        async def follow() -> None:
            answer, items = await answer_to(gateway, call("p/m", cache=WISH))
            results.append((answer, text_of(items)))

        async with (
            asyncio.TaskGroup() as group,
            gateway.open(call("p/m", cache=WISH)) as answer,
        ):
            await anext(answer.items)
            for _ in range(3):
                group.create_task(follow())
            await asyncio.sleep(0)
        assert [text for _, text in results] == ["Ho"] * 3
        assert len(told.requests) == 2

    @pytest.mark.parametrize("read", [0, 1, 2])
    async def test_if_the_one_who_asked_does_not_read_another_asks(self, read: int) -> None:
        told = NamedProvider("p", [TextDelta("Hi"), DONE])
        gateway = create_gateway(told, cache_patience=0.01)
        async with gateway.open(call("p/m", cache=WISH)) as stuck:
            for _ in range(read):
                await anext(stuck.items)
            async with asyncio.TaskGroup() as group:
                tasks = [
                    group.create_task(answer_to(gateway, call("p/m", cache=WISH))) for _ in range(5)
                ]
            assert text_of(await items_of(stuck)) == ("" if read == 2 else "Hi")
        assert [text_of(task.result()[1]) for task in tasks] == ["Hi"] * 5
        assert len(told.requests) == 2

    async def test_an_upstream_that_is_slow_is_waited_for(self) -> None:
        go = asyncio.Event()
        told = NamedProvider("p", [TextDelta("Hi"), go, DONE])
        gateway = create_gateway(told, cache_patience=0.01)
        asked = call("p/m", cache=WISH)
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(answer_to(gateway, asked)) for _ in range(2)]
            asyncio.get_running_loop().call_later(0.1, go.set)
        assert [task.result()[0].cache for task in tasks] == ["miss", "hit"]
        assert len(told.requests) == 1

    async def test_if_it_fails_each_asks(self) -> None:
        go = asyncio.Event()
        refused = UpstreamRejected("no", provider="p")
        told = NamedProvider("p", [go, refused])
        gateway = create_gateway(told)

        async def ask() -> None:
            with pytest.raises(UpstreamRejected):
                async with gateway.open(call("p/m", cache=WISH)) as answer:
                    await items_of(answer)

        async with asyncio.TaskGroup() as group:
            for _ in range(3):
                group.create_task(ask())
            await asyncio.sleep(0)
            go.set()
        assert len(told.requests) == 3

"""An answer that breaks off is continued where it can be, and ends with an error where not."""

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
    overloaded,
    relayed_call,
    text_of,
)

from cartrita.domain.deltas import (
    Accepted,
    CitationDelta,
    Delta,
    Finished,
    FinishReason,
    ReasoningDelta,
    TextDelta,
    ToolCallDelta,
)
from cartrita.domain.errors import (
    InvalidInput,
    UpstreamAuth,
    UpstreamCut,
    UpstreamError,
    UpstreamMalformed,
)
from cartrita.domain.failovers import Failover
from cartrita.domain.messages import Citation, Message, Role, Text
from cartrita.domain.requests import ModelRequest, ResponseFormat, Sampling
from cartrita.domain.usage import Usage
from cartrita.gateway.retry import RetryPolicy
from cartrita.gateway.routes import Route, Target

CLAUDE = "claude-opus-4-1"
BROKEN: list[Delta | Exception] = [TextDelta("The answer is"), TextDelta(" for"), cut()]
REST: list[Delta | Exception] = [TextDelta("ty-two."), Finished(FinishReason.STOP, Usage(20, 4))]


def route(*names: str, **values: Any) -> dict[str, Route]:
    return {"r": Route(targets=tuple(Target(name) for name in names), **values)}


async def collect(gateway: Any, asked: Any, seen: list[Any]) -> None:
    async with gateway.open(asked) as answer:
        async for item in answer.items:
            seen.append(item)  # noqa: PERF401 - what came before an error is wanted too


async def test_the_same_model_goes_on_where_it_stopped() -> None:
    told, ledger = NamedProvider("p", BROKEN, REST), Ledger()
    answer, items = await answer_to(create_gateway(told, ledger=ledger), call("p/m"))
    failover = Failover("p", "m", "upstream_cut", continued=True)
    assert items[0] == Accepted("p", "m")
    assert Accepted("p", "m", (), (failover,)) in items
    assert text_of(items) == "The answer is forty-two."
    assert answer.failovers == (failover,)
    assert told.open == 0

    said, asked = told.requests[1].messages[-2:]
    assert said == Message(Role.ASSISTANT, (Text("The answer is for"),))
    assert asked.role is Role.USER
    assert "exactly where it stops" in asked.text

    cut_off, rest = ledger.entries
    assert (str(cut_off.outcome), str(rest.outcome)) == ("cut", "completed")
    assert cut_off.usage.estimated
    last = items[-1]
    assert isinstance(last, Finished)
    assert last.usage == cut_off.usage + rest.usage


async def test_a_model_that_takes_a_partial_answer_gets_it_last() -> None:
    broken = [TextDelta("One.\n\n"), cut()]
    told = NamedProvider("p", broken, [TextDelta("\n"), TextDelta("\nTwo."), DONE])
    _, items = await answer_to(create_gateway(told), call(f"p/{CLAUDE}"))
    assert text_of(items) == "One.\n\nTwo."
    assert told.requests[1].messages[-1] == Message(Role.ASSISTANT, (Text("One."),))


async def test_what_it_repeats_is_left_out() -> None:
    told = NamedProvider("p", BROKEN, [TextDelta("The answer is"), TextDelta(" forty."), DONE])
    _, items = await answer_to(create_gateway(told), call("p/m"))
    assert text_of(items) == "The answer is forty."


async def test_what_follows_a_prefill_repeats_nothing() -> None:
    told = NamedProvider("p", BROKEN, [TextDelta("answer is for"), TextDelta(" you."), DONE])
    _, items = await answer_to(create_gateway(told), call(f"p/{CLAUDE}"))
    assert text_of(items) == "The answer is foranswer is for you."


async def test_what_is_held_back_goes_out_at_the_end() -> None:
    told = NamedProvider("p", BROKEN, [TextDelta("answer"), DONE])
    _, items = await answer_to(create_gateway(told), call("p/m"))
    assert text_of(items) == "The answer is foranswer"


async def test_it_is_continued_again_and_again_but_not_for_ever() -> None:
    piece = [TextDelta("more "), cut()]
    told = NamedProvider("p", BROKEN, piece, REST)
    _, items = await answer_to(create_gateway(told), call("p/m"))
    assert text_of(items) == "The answer is formore ty-two."
    seen: list[Any] = []
    told = NamedProvider("p", piece)
    with pytest.raises(UpstreamCut):
        await collect(create_gateway(told), call("p/m"), seen)
    assert len(told.requests) == 4


async def test_no_more_tokens_than_are_left() -> None:
    told = NamedProvider("p", BROKEN, REST)
    request = replace(REQUEST, sampling=Sampling(max_tokens=100))
    await answer_to(create_gateway(told), call("p/m", request))
    assert told.requests[1].sampling.max_tokens == 95
    told = NamedProvider("p", BROKEN, REST)
    request = replace(REQUEST, sampling=Sampling(max_tokens=2))
    await answer_to(create_gateway(told), call("p/m", request))
    assert told.requests[1].sampling.max_tokens == 1


async def test_its_reasoning_stays_out_of_the_answer() -> None:
    broken = [ReasoningDelta("hm"), *BROKEN]
    told = NamedProvider("p", broken, [ReasoningDelta("again"), *REST])
    _, items = await answer_to(create_gateway(told), call("p/m"))
    assert [one for one in items if isinstance(one, ReasoningDelta)] == [ReasoningDelta("hm")]


async def test_it_may_call_a_tool_after_it() -> None:
    called = ToolCallDelta(0, "c", "f", "{}")
    told = NamedProvider("p", BROKEN, [TextDelta("ty."), called, DONE])
    _, items = await answer_to(create_gateway(told), call("p/m"))
    assert called in items


@pytest.mark.parametrize(
    "broken",
    [
        [TextDelta("a"), ToolCallDelta(0, "c", "f", '{"a'), cut()],
        [ReasoningDelta("hm", signature="s"), TextDelta("a"), cut()],
        [TextDelta("a"), CitationDelta(Citation("t")), cut()],
        [TextDelta("a", ({"token": "a"},)), cut()],
        [ReasoningDelta("hm"), cut()],
        [TextDelta("a"), UpstreamAuth("no", provider="p")],
    ],
)
async def test_what_cannot_be_continued_ends_with_its_error(
    broken: list[Delta | UpstreamError],
) -> None:
    told, seen = NamedProvider("p", broken, REST), list[Any]()
    with pytest.raises(UpstreamError) as caught:
        await collect(create_gateway(told), call("p/m"), seen)
    assert caught.value is broken[-1]
    assert seen[1:] == broken[:-1]
    assert len(told.requests) == 1


@pytest.mark.parametrize(
    "request_",
    [
        replace(REQUEST, response_format=ResponseFormat("json")),
        replace(REQUEST, sampling=Sampling(logprobs=0)),
    ],
)
async def test_nor_can_answers_of_other_kinds(request_: ModelRequest) -> None:
    told = NamedProvider("p", BROKEN, REST)
    with pytest.raises(UpstreamCut):
        await answer_to(create_gateway(told), call("p/m", request_))
    assert len(told.requests) == 1


async def test_where_nobody_can_go_on_the_first_error_is_told() -> None:
    told = NamedProvider("p", BROKEN, [overloaded()])
    with pytest.raises(UpstreamCut):
        await answer_to(create_gateway(told), call("p/m"))
    assert len(told.requests) == 4


class TestRoutes:
    async def test_the_same_model_first_wherever_it_is(self) -> None:
        one = NamedProvider("a", BROKEN, [overloaded()])
        two, other = NamedProvider("b", REST), NamedProvider("c", REST)
        gateway = create_gateway(one, other, two, routes=route("a/m", "c/n", "b/m"))
        answer, items = await answer_to(gateway, call("r"))
        assert text_of(items) == "The answer is forty-two."
        assert answer.provider == "b"
        assert other.requests == []

    async def test_another_one_by_setting(self) -> None:
        one, two = NamedProvider("a", BROKEN), NamedProvider("b", REST)
        gateway = create_gateway(one, two, routes=route("a/m", "b/n", continue_with="any"))
        answer, items = await answer_to(gateway, call("r"))
        assert text_of(items) == "The answer is forty-two."
        assert answer.model == "n"
        assert two.requests[0].model == "n"


class TestRelays:
    async def test_deltas_follow_the_bytes(self) -> None:
        told = RelayingProvider(
            "a", [b"#hello\nThe answer is\n", b" for\nbr", cut()], scripts=[REST]
        )
        ledger = Ledger()
        answer, items = await answer_to(create_gateway(told, ledger=ledger), relayed_call("a/m"))
        assert items[:2] == [b"#hello\nThe answer is\n", b" for\n"]
        assert isinstance(items[2], Accepted)
        assert text_of(items) == "The answer is forty-two."
        assert not answer.relayed
        assert answer.monitor is not None
        assert ledger.outcomes == [("a", "cut"), ("a", "completed")]

    @pytest.mark.parametrize("broken", [b"!\n", b""])
    async def test_error_frames_and_clean_ends_are_breaks_too(self, broken: bytes) -> None:
        told = RelayingProvider("a", [b"The answer is for\n", broken], scripts=[REST])
        _, items = await answer_to(create_gateway(told), relayed_call("a/m"))
        assert text_of(items) == "The answer is forty-two."

    async def test_what_is_too_long_to_keep_is_not_continued(self) -> None:
        told = RelayingProvider("a", [b"x" * 2000 + b"\n", cut()], scripts=[REST])
        with pytest.raises(UpstreamCut):
            await answer_to(create_gateway(told), relayed_call("a/m"))
        assert told.requests == []

    async def test_nor_is_one_after_the_deadline(self) -> None:
        told, time = RelayingProvider("a", [b"Hel\n", cut()], scripts=[REST]), Time()
        gateway = create_gateway(told, time=time, retry=RetryPolicy(deadline=10))
        async with gateway.open(relayed_call("a/m")) as answer:
            assert await anext(answer.items) == b"Hel\n"
            time.now += 11
            with pytest.raises(UpstreamCut):
                await anext(answer.items)
        assert told.requests == []

    async def test_nor_are_several_answers_at_once(self) -> None:
        told = RelayingProvider("a", [b"Hel\n", cut()], scripts=[REST])
        with pytest.raises(UpstreamCut):
            await answer_to(create_gateway(told), relayed_call("a/m", choices=2))
        assert told.requests == []

    async def test_nor_a_request_that_only_its_provider_understands(self) -> None:
        def parse() -> ModelRequest:
            raise InvalidInput.of("strange", "We do not know it.")

        told, ledger = RelayingProvider("a", [b"Hel\n", cut()], scripts=[REST]), Ledger()
        gateway = create_gateway(told, ledger=ledger)
        with pytest.raises(UpstreamCut):
            await answer_to(gateway, relayed_call("a/m", parse=parse))
        assert ledger.entries[0].usage.estimated

    async def test_what_breaks_after_its_end_is_complete(self) -> None:
        told = RelayingProvider("a", [b"Hi\n.\n", cut()])
        _, items = await answer_to(create_gateway(told), relayed_call("a/m"))
        assert items == [b"Hi\n.\n"]

    async def test_a_body_is_read_whole_before_it_is_answered(self) -> None:
        broken = UpstreamMalformed("no", provider="a")
        told = RelayingProvider("a", [b"Hel\n", broken], [b"Hel\n", b"lo\n"])
        gateway = create_gateway(told)
        async with gateway.open(relayed_call("a/m", streamed=False)) as answer:
            assert told.open == 1
            assert await items_of(answer) == [b"Hel\nlo\n"]


async def test_an_answer_that_nobody_reads_as_it_comes_is_repeated() -> None:
    told = NamedProvider("p", BROKEN, [TextDelta("Well."), DONE])
    gateway = create_gateway(told)
    _, items = await answer_to(gateway, call("p/m", streamed=False))
    assert text_of(items) == "Well."
    assert told.requests[1] == told.requests[0]

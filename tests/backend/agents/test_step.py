"""A step tells a model call as events, in order, and measures it."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest
from tests.backend.gateway.fakes import REQUEST, overloaded
from tests.backend.scripted_provider import ScriptedProvider

from cartrita.agents.agent import AgentLimits
from cartrita.agents.step import Step
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
    UpstreamCut,
    UpstreamError,
    UpstreamMalformed,
    UpstreamOverloaded,
)
from cartrita.domain.events import (
    Event,
    ModelAccepted,
    ReasoningAppended,
    SourceFound,
    TextAppended,
    ToolCalled,
    UsageRecorded,
)
from cartrita.domain.messages import Citation
from cartrita.domain.token_estimates import RULE_ERROR
from cartrita.domain.usage import Usage

DEEP = '{"a":' * 600 + "1" + "}" * 600

USAGE = Usage(10, 5)
DONE = Finished(FinishReason.STOP, USAGE, "m-1")
CALLED = Finished(FinishReason.TOOL_CALL, USAGE)


class Ticks:
    """A clock that is one second further at each look."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 1.0
        return self.now


def step(*play: Delta | Exception, **fields: object) -> Step:
    return Step(ScriptedProvider(list(play)), REQUEST, clock=Ticks(), **fields)  # pyright: ignore[reportArgumentType]


async def collect(events: AsyncGenerator[Event], seen: list[Event]) -> None:
    async with aclosing(events):
        async for event in events:
            seen.append(event)  # noqa: PERF401 - what came before an error is wanted too


async def told(one: Step) -> list[Event]:
    seen: list[Event] = []
    await collect(one.events(), seen)
    return seen


async def failing(one: Step) -> tuple[list[Event], UpstreamError]:
    seen: list[Event] = []
    with pytest.raises(UpstreamError) as caught:
        await collect(one.events(), seen)
    return seen, caught.value


async def test_all_kinds_of_events_in_order() -> None:
    citation = Citation("A", "https://a")
    one = step(
        ReasoningDelta("hm"),
        TextDelta("Hi 🙂"),
        CitationDelta(citation),
        TextDelta("!"),
        DONE,
    )
    *events, measurement = await told(one)
    assert events == [
        ReasoningAppended("hm"),
        TextAppended("Hi 🙂", 0),
        SourceFound(citation),
        TextAppended("!", 4),
    ]
    assert measurement == UsageRecorded(USAGE, seconds=2.0, first_token_seconds=1.0)
    assert one.finish_reason is FinishReason.STOP
    assert one.model == "m-1"


async def test_positions_go_on_where_an_answer_was_left() -> None:
    events = await told(step(TextDelta("a"), TextDelta("b"), DONE, said="7 chars"))
    assert events[:2] == [TextAppended("a", 7), TextAppended("b", 8)]


class TestToolCalls:
    async def test_they_are_told_whole_and_in_order_at_the_end(self) -> None:
        one = step(
            ToolCallDelta(1, "c2", "g"),
            ToolCallDelta(0, "c1", "f", '{"a"'),
            TextDelta("Let me see."),
            ToolCallDelta(0, arguments=":1}"),
            CALLED,
        )
        events = await told(one)
        assert events[:-1] == [
            TextAppended("Let me see.", 0),
            ToolCalled("c1", "f", {"a": 1}),
            ToolCalled("c2", "g", {}),
        ]
        assert one.finish_reason is FinishReason.TOOL_CALL

    async def test_one_without_an_id_gets_one(self) -> None:
        first, second, _ = await told(
            step(ToolCallDelta(0, None, "f"), ToolCallDelta(1, None, "f"), CALLED)
        )
        assert isinstance(first, ToolCalled)
        assert isinstance(second, ToolCalled)
        assert first.call_id != second.call_id
        assert first.call_id.startswith("call_")

    @pytest.mark.parametrize(
        "arguments",
        ['{"a": "cut', '{"a":', "[1]", '"x"', "null", "{" * 100_000, "[" * 100_000, DEEP],
    )
    async def test_half_a_call_is_told_as_malformed_with_its_text(self, arguments: str) -> None:
        one = step(
            ToolCallDelta(0, "c0", "whole", "{}"), ToolCallDelta(1, "c1", "f", arguments), CALLED
        )
        whole, half, measured = await told(one)
        assert whole == ToolCalled("c0", "whole", {})
        assert isinstance(half, ToolCalled)
        assert half.malformed
        text = half.arguments["INVALID_JSON"]
        assert isinstance(text, str)
        assert text == arguments if len(arguments) < 4000 else len(text) == 4000
        assert isinstance(measured, UsageRecorded)
        assert measured.usage == USAGE

    async def test_one_without_a_name_is_malformed(self) -> None:
        _, error = await failing(step(ToolCallDelta(0, "c1", None, "{}"), CALLED))
        assert "which" in error.message

    async def test_ten_thousand_are_too_many(self) -> None:
        calls = [ToolCallDelta(n, f"c{n}", "f", "{}") for n in range(10_000)]
        _, error = await failing(step(*calls, CALLED))
        assert type(error) is UpstreamMalformed
        assert "more than 64" in error.message
        _, error = await failing(
            step(*calls[:3], CALLED, limits=AgentLimits(tool_calls_per_step=2))
        )
        assert "more than 2" in error.message

    async def test_what_no_store_can_hold_is_cleaned(self) -> None:
        arguments = r'{"a": "x\u0000", "b\ud800": ["\ud83d\ude42", "\udc00"]}'
        called, _ = await told(step(ToolCallDelta(0, "c", "f", arguments), CALLED))
        assert called == ToolCalled("c", "f", {"a": "x", "b\ufffd": ["🙂", "\ufffd"]})
        called, _ = await told(step(ToolCallDelta(0, "c", "f", r'{"a": "\u0000"}'), CALLED))
        assert called == ToolCalled("c", "f", {"a": ""})


class TestMeasuring:
    async def test_what_is_not_reported_is_estimated(self) -> None:
        play = (TextDelta("12345678"), ReasoningDelta("1234"), ToolCallDelta(0, "c", "name", "{}"))
        events = await told(step(*play, Finished(FinishReason.STOP, Usage())))
        measurement = events[-1]
        assert isinstance(measurement, UsageRecorded)
        assert measurement.usage == Usage(4, 5, estimated=True, error_bound=RULE_ERROR)

    async def test_a_call_that_broke_off_is_measured_too(self) -> None:
        events, error = await failing(step(TextDelta("Hello"), overloaded()))
        assert type(error) is UpstreamOverloaded
        assert events == [
            TextAppended("Hello", 0),
            UsageRecorded(Usage(4, 2, estimated=True, error_bound=RULE_ERROR), 2.0, 1.0),
        ]

    async def test_one_of_which_nothing_was_seen_is_not(self) -> None:
        events, _ = await failing(step(overloaded()))
        assert events == []

    async def test_who_leaves_early_can_ask(self) -> None:
        one = step(TextDelta("Hello"), DONE)
        assert one.usage_event() == UsageRecorded(
            Usage(4, 0, estimated=True, error_bound=RULE_ERROR), 0.0, None
        )
        events = one.events()
        await anext(events)
        await events.aclose()
        assert one.usage_event().usage == Usage(4, 2, estimated=True, error_bound=RULE_ERROR)
        assert one.usage_event().first_token_seconds == 1.0


async def test_an_end_without_the_last_delta_is_a_cut() -> None:
    events, error = await failing(step(TextDelta("Hel")))
    assert type(error) is UpstreamCut
    assert len(events) == 2


async def test_leaving_closes_the_call() -> None:
    provider = ScriptedProvider([TextDelta("a"), DONE])
    events = Step(provider, REQUEST).events()
    await anext(events)
    assert provider.open == 1
    await events.aclose()
    assert provider.open == 0


async def test_another_deployment_than_the_chosen_one_is_told() -> None:
    chosen = Accepted(ScriptedProvider.name, REQUEST.model)
    first, *_ = await told(step(chosen, TextDelta("a"), DONE))
    assert first == TextAppended("a", 0)
    failed_over = step(Accepted("other", "dear"), TextDelta("a"), DONE)
    assert failed_over.answered_by == (ScriptedProvider.name, REQUEST.model)
    first, *_ = await told(failed_over)
    assert first == ModelAccepted("other", "dear")
    assert failed_over.answered_by == ("other", "dear"), "whose price it has"

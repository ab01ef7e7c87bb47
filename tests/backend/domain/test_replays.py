"""The deltas of an answer come out of its log again, as a model sent them."""

import asyncio
from contextlib import aclosing
from itertools import groupby

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from tests.backend.application.fakes import claim
from tests.backend.examples import examples
from tests.backend.gateway.fakes import REQUEST
from tests.backend.scripted_provider import ScriptedProvider

from cartrita.agents.step import Step
from cartrita.domain import endings
from cartrita.domain.deltas import (
    Accepted,
    CitationDelta,
    Delta,
    Finished,
    FinishReason,
    ReasoningDelta,
    RefusalDelta,
    TextDelta,
    ToolCallDelta,
    VendorDelta,
)
from cartrita.domain.events import (
    Event,
    RunCompleted,
    RunStarted,
    RunStopped,
    StopStatus,
    ToolReturned,
    UsageRecorded,
)
from cartrita.domain.failovers import Failover
from cartrita.domain.fold import Fold
from cartrita.domain.messages import Citation, VendorPart
from cartrita.domain.receipts import Receipt
from cartrita.domain.replays import Replay
from cartrita.domain.usage import Usage

RECEIPT = Receipt("logit_bias", "openai_chat", "anthropic_messages", "dropped", "Unknown there.")
FAILOVER = Failover("q", "n", "upstream_cut")
USAGE = Usage(10, 5)


async def log_of(deltas: list[Delta]) -> list[Event]:
    """The events of a run whose model sends these deltas."""
    step, answer = Step(ScriptedProvider(deltas), REQUEST), Fold()
    claimed = claim()
    events: list[Event] = [claimed.started]
    async with aclosing(step.events()) as found:
        async for event in found:
            answer.add(event)
            events.append(event)
    reason = step.finish_reason or FinishReason.STOP
    ending = endings.completed(claimed, answer, reason, 1.0, step.stop_sequence, step.vendor_reason)
    return [*events, ending.event]


def replayed(events: list[Event]) -> list[Delta]:
    replay = Replay()
    return [delta for event in events for delta in replay.deltas_of(event)]


async def test_everything_that_a_model_says_is_replayed() -> None:
    deltas: list[Delta] = [
        Accepted("p", "m", (RECEIPT,), (FAILOVER,)),
        ReasoningDelta("hm"),
        ReasoningDelta("", "sig", None, "anthropic_messages", "r1"),
        ReasoningDelta("", None, "sealed", "openai_responses"),
        TextDelta("Hel", ({"token": "Hel"},)),
        TextDelta("lo"),
        CitationDelta(Citation("A page", "https://a.example")),
        VendorDelta(VendorPart("anthropic_messages", {"type": "server_tool_use"})),
        ToolCallDelta(0, "c1", "look", '{"at":'),
        ToolCallDelta(1, "c2", "smell"),
        ToolCallDelta(0, arguments='"it"}'),
        Finished(FinishReason.TOOL_CALL, USAGE, None, "END", "pause_turn"),
    ]
    assert replayed(await log_of(deltas)) == [
        Accepted("p", "m"),
        *deltas[:8],
        ToolCallDelta(0, "c1", "look", '{"at":"it"}'),
        ToolCallDelta(1, "c2", "smell", "{}"),
        Finished(FinishReason.TOOL_CALL, USAGE, "m", "END", "pause_turn"),
    ]


async def test_a_refusal_is_told_from_text() -> None:
    deltas: list[Delta] = [
        TextDelta("I'd rather not: "),
        RefusalDelta("I won't."),
        Finished(FinishReason.STOP, USAGE),
    ]
    events = await log_of(deltas)
    assert replayed(events) == [
        Accepted("p", "m"),
        *deltas[:2],
        Finished(FinishReason.STOP, USAGE, "m"),
    ]
    completed = events[-1]
    assert isinstance(completed, RunCompleted)
    assert completed.text == "I'd rather not: I won't."
    assert completed.refused


def test_what_is_not_the_models_is_not_replayed() -> None:
    stopped = RunStopped(StopStatus.FAILED, "internal", "It failed.", recoverable=False)
    events: list[Event] = [
        ToolReturned("c1", "look", "a cat", success=True),
        UsageRecorded(USAGE, 1.0),
        stopped,
    ]
    assert replayed(events) == []
    assert replayed([RunStarted("c", "m", "a", "n", "q")]) == [Accepted("q", "n")]


_TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=5)
_ARGUMENTS = st.dictionaries(_TEXT, _TEXT | st.integers(-5, 5), max_size=3).map(
    lambda arguments: msgspec.json.encode(arguments).decode()
)
_PIECE = st.one_of(
    _TEXT.map(TextDelta),
    _TEXT.map(RefusalDelta),
    _TEXT.map(ReasoningDelta),
    st.builds(ReasoningDelta, _TEXT, _TEXT, st.none(), st.just("anthropic_messages")),
    _TEXT.map(lambda title: CitationDelta(Citation(title))),
    _TEXT.map(lambda kind: VendorDelta(VendorPart("openai_chat", {"type": kind}))),
)


def joined(deltas: list[Delta]) -> list[object]:
    """Deltas with what is equal to any reader made equal: text and reasoning in one piece."""
    pieces: list[object] = []
    for kind, group in groupby(deltas, type):
        if kind is TextDelta:
            pieces.append("".join(one.text for one in group if isinstance(one, TextDelta)))
        elif kind is ReasoningDelta:
            pieces.extend(_blocks([one for one in group if isinstance(one, ReasoningDelta)]))
        else:
            pieces.extend(group)
    return [piece for piece in pieces if piece not in ("", ("", None))]


def _blocks(deltas: list[ReasoningDelta]) -> list[tuple[str, str | None]]:
    """The text and signature of each block."""
    blocks: list[tuple[str, str | None]] = []
    text = ""
    for delta in deltas:
        text += delta.text
        if delta.sealed:
            blocks.append((text, delta.signature))
            text = ""
    return [*blocks, (text, None)]


@given(st.lists(_PIECE, max_size=12), st.lists(_ARGUMENTS, max_size=3))
@examples
def test_a_log_conserves_everything_that_a_model_sends(
    pieces: list[Delta], calls: list[str]
) -> None:
    numbered: list[Delta] = [
        ToolCallDelta(index, f"c{index}", "look", arguments)
        for index, arguments in enumerate(calls)
    ]
    finished = Finished(FinishReason.STOP, USAGE, "m")
    events = asyncio.run(log_of([*pieces, *numbered, finished]))
    stored = [msgspec.json.decode(msgspec.json.encode(event), type=Event) for event in events]
    [first, *told, last] = replayed(stored)
    assert (first, last) == (Accepted("p", "m"), finished)
    assert joined(told) == joined([*pieces, *numbered])

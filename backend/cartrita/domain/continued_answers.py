"""Answers that ended early, as another run goes on with them."""

from collections.abc import Iterable, Sequence

import msgspec

from cartrita.domain.events import (
    Event,
    ReasoningAppended,
    ReasoningSealed,
    SourceFound,
    TextAppended,
    ToolCalled,
    ToolReturned,
    VendorPartAdded,
)
from cartrita.domain.message_steps import calls_of_results
from cartrita.domain.messages import (
    Citation,
    Part,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    ToolResult,
    VendorPart,
)


class Beginning(msgspec.Struct, frozen=True):
    """What an answer begins with: steps that are done, their sources, and the text after them."""

    steps: tuple[Part, ...] = ()
    sources: tuple[Citation, ...] = ()
    text: str = ""

    @property
    def parts(self) -> tuple[Part, ...]:
        """All of it, as the message of the answer has it."""
        text = (Text(self.text),) if self.text else ()
        return (*self.steps, *self.sources, *text)


def beginning_of(parts: Sequence[Part]) -> Beginning | None:
    """What another run can go on from: all of it, but for the reasoning after its last step.

    None for an answer that ended in anything but text, or in text after sealed reasoning, which
    belongs to the one answer that it came with: see `PartialAnswer`. Calls that nobody answered are
    left out.
    """
    calls = calls_of_results(parts)
    done = max(calls) + 1 if calls else 0
    belong = {*calls, *calls.values()}
    steps = tuple(
        part
        for place, part in enumerate(parts[:done])
        if place in belong or not isinstance(part, ToolCall | ToolResult)
    )
    rest = [part for part in parts[done:] if not isinstance(part, ToolResult)]
    led_to_nothing = done > 0 and not any(isinstance(part, Text) for part in rest)
    rest = [
        part
        for part in rest
        if not isinstance(part, Reasoning) or (part.sealed and not led_to_nothing)
    ]
    if not all(isinstance(part, Text | Citation) for part in rest):
        return None
    text = "".join(part.text for part in rest if isinstance(part, Text))
    sources = tuple(part for part in rest if isinstance(part, Citation))
    return Beginning(steps, sources, text)


def events_of(parts: Iterable[Part]) -> list[Event]:
    """The events that a log begins with, so that its fold has these parts."""
    events: list[Event] = []
    position = 0
    for part in parts:
        events.extend(_events_of(part, position))
        if isinstance(part, Text | Refusal):
            position += len(part.text)
    return events


def _called(call: ToolCall) -> ToolCalled:
    return ToolCalled(
        call.call_id,
        call.name,
        call.arguments,
        own=True,
        malformed=call.malformed,
        problem=call.problem,
        origin=call.origin,
        vendor=call.vendor,
    )


def _events_of(part: Part, position: int) -> list[Event]:
    match part:
        case Text(text=text):
            return [TextAppended(text, position)]
        case Refusal(text=text):
            return [TextAppended(text, position, refusal=True)]
        case Reasoning(text=text):
            seal = ReasoningSealed(part.signature, part.encrypted, part.origin, part.id)
            return [ReasoningAppended(text), seal] if text else [seal]
        case ToolCall():
            return [_called(part)]
        case ToolResult():
            return [ToolReturned(part.call_id, part.name or "", part.text, part.success)]
        case Citation():
            return [SourceFound(part)]
        case VendorPart():
            return [VendorPartAdded(part)]
        case _:
            return []

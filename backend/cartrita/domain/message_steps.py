"""Stored messages as models expect to see them again: each tool result after its call."""

from collections.abc import Iterable, Iterator
from typing import Generic, TypeVar

import msgspec

from cartrita.domain.messages import (
    Citation,
    Message,
    Part,
    Reasoning,
    Role,
    Text,
    ToolCall,
    ToolResult,
    VendorPart,
)

T = TypeVar("T")


class _OpenCalls(Generic[T]):
    """The places of calls that have no results; one call id may have several."""

    def __init__(self) -> None:
        self._places: dict[str, list[T]] = {}

    def add(self, call: ToolCall, place: T) -> None:
        self._places.setdefault(call.call_id, []).append(place)

    def take(self, result: ToolResult) -> T | None:
        """The place of the first call that waits for this result; None if none does."""
        places = self._places.get(result.call_id)
        return places.pop(0) if places else None

    def clear(self) -> None:
        self._places.clear()


def calls_of_results(parts: Iterable[Part]) -> dict[int, int]:
    """The place of each result in an answer, and of its call. Others belong to no call."""
    waiting = _OpenCalls[int]()
    calls: dict[int, int] = {}
    for place, part in enumerate(parts):
        if isinstance(part, ToolCall):
            waiting.add(part, place)
        elif isinstance(part, ToolResult) and (call := waiting.take(part)) is not None:
            calls[place] = call
    return calls


class _Step:
    """What the model said in one call, and the results of the tools that it called."""

    def __init__(self) -> None:
        self.said: list[Part] = []
        self.results: list[Part] = []
        self.answered: set[int] = set()
        """The positions in `said` of the calls that have results."""

    def messages(self) -> Iterator[Message]:
        """Nothing of a step that leaves only reasoning or citations: models refuse such answers."""
        kept = tuple(
            part
            for position, part in enumerate(self.said)
            if not isinstance(part, ToolCall) or position in self.answered
        )
        if all(isinstance(part, Reasoning | Citation) for part in kept):
            return
        yield Message(Role.ASSISTANT, kept)
        if self.results:
            yield Message(Role.TOOL, tuple(self.results))


class _Steps:
    """The steps of a branch and the messages between them, in order."""

    def __init__(self) -> None:
        self.items: list[_Step | Message] = []
        self._open = _OpenCalls[tuple[_Step, int]]()
        self._current: _Step | None = None

    def add(self, message: Message) -> None:
        self._current = None
        if message.role in (Role.ASSISTANT, Role.TOOL):
            for part in message.parts:
                if isinstance(part, ToolResult):
                    self._answer(part)
                elif message.role is Role.ASSISTANT:
                    self._say(part)
            if others := _of_vendors(message):
                self.items.append(others)
        else:
            self._open.clear()  # whoever goes on does not wait for results
            self.items.append(message)

    def _say(self, part: Part) -> None:
        step = self._current
        if step is None or step.results:
            step = self._current = _Step()
            self.items.append(step)
        if isinstance(part, ToolCall):
            self._open.add(part, (step, len(step.said)))
        step.said.append(part)

    def _answer(self, result: ToolResult) -> None:
        """Put a result to the first call with its id that has none; without one, leave it out."""
        found = self._open.take(result)
        if found is None:
            return
        step, position = found
        step.answered.add(position)
        step.results.append(result)


def _of_vendors(message: Message) -> Message | None:
    """What a caller brings for the calls of a vendor's own tools, which stay in what was said."""
    if message.role is not Role.TOOL:
        return None
    parts = tuple(part for part in message.parts if isinstance(part, VendorPart))
    return Message(Role.TOOL, parts) if parts else None


def without_tools(messages: Iterable[Message]) -> tuple[Message, ...]:
    """The messages with calls and results as text, for a request that offers no tools.

    Some providers refuse them there.
    """
    return tuple(
        Message(
            Role.USER if message.role is Role.TOOL else message.role,
            tuple(map(_as_text, message.parts)),
        )
        if any(isinstance(part, ToolCall | ToolResult) for part in message.parts)
        else message
        for message in messages
    )


def _as_text(part: Part) -> Part:
    match part:
        case ToolCall(name=name, arguments=arguments):
            return Text(f"\n[Called {name} with {msgspec.json.encode(arguments).decode()}]")
        case ToolResult(name=name):
            return Text(f"[{name or 'A tool'} returned: {part.text}]\n")
        case _:
            return part


def steps_with_results(parts: tuple[Part, ...]) -> tuple[tuple[Message, Message], ...]:
    """The steps of an answer that have results: what the model said in each, and these."""
    steps = _Steps()
    steps.add(Message(Role.ASSISTANT, parts))
    whole = (tuple(item.messages()) for item in steps.items if isinstance(item, _Step))
    return tuple((each[0], each[1]) for each in whole if len(each) == 2)


def split_steps(branch: Iterable[Message]) -> tuple[Message, ...]:
    """A branch, oldest first, with a message for each step of an answer and for its results.

    A stored answer holds all steps of its run; the results of a caller's own tools are in messages
    of the role TOOL after it. Calls and results that nobody answers or asked for are left out:
    models refuse such a history. A call id may be used again: a result belongs to the first call
    with its id that has none.
    """
    steps = _Steps()
    for message in branch:
        steps.add(message)
    sent: list[Message] = []
    for item in steps.items:
        sent.extend([item] if isinstance(item, Message) else item.messages())
    return tuple(sent)

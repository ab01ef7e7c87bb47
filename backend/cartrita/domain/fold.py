"""The fold of a run's log: its message, usage and text, accumulated from its events."""

import msgspec

from cartrita.domain import costs
from cartrita.domain.begun_work import BegunWork
from cartrita.domain.continued_answers import beginning_of
from cartrita.domain.event_visibility import is_visible
from cartrita.domain.events import (
    AgentUse,
    Event,
    HistorySummarized,
    ModelAccepted,
    ReasoningAppended,
    ReasoningSealed,
    SourceFound,
    TextAppended,
    ToolCalled,
    ToolReturned,
    UsageRecorded,
    VendorPartAdded,
)
from cartrita.domain.json import JsonValue
from cartrita.domain.messages import (
    Citation,
    Message,
    Part,
    Reasoning,
    Refusal,
    Role,
    Text,
    ToolCall,
    ToolResult,
)
from cartrita.domain.usage import Usage


class Fold:
    """Accumulates the events of a run, in order from seq 1, into its message and usage.

    The message holds what the answering agent said and called; what was called for a task does not
    belong to it, but for the sources that it found.
    """

    def __init__(self) -> None:
        self._done: list[Part] = []
        self._open: type[Text | Refusal | Reasoning] | None = None
        self._pieces: list[str] = []
        self._agents: dict[str, AgentUse] = {}
        self.usage = Usage()
        self.begun = BegunWork()
        self.calls = 0
        self.cost = 0.0
        """US dollars, of the model calls and the searches of tools whose price is known."""
        self.accepted: ModelAccepted | None = None
        """The last deployment that began to answer, where that was recorded."""
        self.summarized: HistorySummarized | None = None
        """Told if the model was given a summary of the beginning."""
        self.seen = False
        """Whether any event so far was visible to the user."""
        self.length = 0
        """Number of code points of text so far."""

    def add(self, event: Event) -> None:
        self.seen = self.seen or is_visible(event)
        match event:
            case TextAppended(text=text, refusal=refusal):
                self.length += len(text)
                self._append(Refusal if refusal else Text, text)
            case ReasoningAppended(text=text):
                self._append(Reasoning, text)
            case ReasoningSealed():
                self._seal(event)
            case UsageRecorded():
                self._count(event)
            case ModelAccepted():
                self.accepted = event
            case HistorySummarized():
                self.summarized = event
            case _:
                self._add_part(event)

    def _add_part(self, event: Event) -> None:
        self.begun.add(event)
        if isinstance(event, ToolReturned):
            self.cost = costs.add(self.cost, event.cost or 0.0)
        match event:
            case ToolCalled(task_id=None):
                self._put(call_of(event))
            case ToolReturned(task_id=None):
                content = (Text(_text_of(event.result)),)
                self._put(ToolResult(event.call_id, content, event.name, event.success))
            case SourceFound(citation=citation):
                self._done.append(citation)
            case VendorPartAdded(part=part):
                self._put(part)
            case _:
                pass

    def _count(self, event: UsageRecorded) -> None:
        self.usage = self.usage + event.usage
        self.calls += event.calls
        self.cost = costs.add(self.cost, event.cost or 0.0)
        if event.agent is None:
            return
        before = self._agents.get(event.agent)
        if before is None:
            use = AgentUse(event.agent, event.calls, event.usage, event.cost)
        else:
            cost = None
            if before.cost is not None and event.cost is not None:
                cost = costs.add(before.cost, event.cost)
            use = AgentUse(
                event.agent, before.calls + event.calls, before.usage + event.usage, cost
            )
        self._agents[event.agent] = use

    @property
    def agents(self) -> tuple[AgentUse, ...]:
        """What each agent did, in the order in which their first model calls ended."""
        return tuple(self._agents.values())

    @property
    def parts(self) -> tuple[Part, ...]:
        """The parts so far, in the order in which they started."""
        if self._open is None:
            return tuple(self._done)
        return (*self._done, self._open("".join(self._pieces)))

    @property
    def message(self) -> Message | None:
        """The answer so far; None if it has no parts."""
        parts = self.parts
        return Message(Role.ASSISTANT, parts) if parts else None

    @property
    def text(self) -> str:
        return "".join(part.text for part in self.parts if isinstance(part, Text | Refusal))

    @property
    def continuable(self) -> bool:
        """Whether another run can go on from where it is."""
        return beginning_of(self.parts) is not None

    @property
    def refused(self) -> bool:
        """Whether a part of the answer is a refusal."""
        return any(isinstance(part, Refusal) for part in self.parts)

    @property
    def sources(self) -> tuple[Citation, ...]:
        return tuple(part for part in self._done if isinstance(part, Citation))

    def _append(self, kind: type[Text | Refusal | Reasoning], text: str) -> None:
        if self._open is not kind:
            self._close()
            self._open = kind
        self._pieces.append(text)

    def _seal(self, event: ReasoningSealed) -> None:
        if self._open is not Reasoning:
            self._close()
        text = "".join(self._pieces)
        self._open, self._pieces = None, []
        self._done.append(Reasoning(text, event.signature, event.encrypted, event.origin, event.id))

    def _put(self, part: Part) -> None:
        self._close()
        self._done.append(part)

    def _close(self) -> None:
        if self._open is not None:
            self._done.append(self._open("".join(self._pieces)))
        self._open, self._pieces = None, []


def call_of(event: ToolCalled) -> ToolCall:
    """A call as a part of a message."""
    return ToolCall(
        event.call_id,
        event.name,
        event.arguments,
        malformed=event.malformed,
        problem=event.problem,
        origin=event.origin,
        vendor=event.vendor,
    )


def _text_of(result: JsonValue) -> str:
    """A tool's result as the model reads it: strings as they are, other values as JSON."""
    return result if isinstance(result, str) else msgspec.json.encode(result).decode()


def fold(events: list[Event]) -> Fold:
    """Fold a complete log."""
    result = Fold()
    for event in events:
        result.add(event)
    return result

"""The deltas of a model's answer again, from the events of its run: the inverse of a step."""

import msgspec

from cartrita.domain.deltas import (
    Accepted,
    CitationDelta,
    Delta,
    Finished,
    ReasoningDelta,
    RefusalDelta,
    TextDelta,
    ToolCallDelta,
    VendorDelta,
)
from cartrita.domain.events import (
    Event,
    ModelAccepted,
    ReasoningAppended,
    ReasoningSealed,
    RunCompleted,
    RunStarted,
    SourceFound,
    TextAppended,
    ToolCalled,
    VendorPartAdded,
)


class Replay:
    """Converts the events of one run, in order from seq 1: the same log gives the same deltas.

    What a run's own tools did, and what a call cost, is for no client of a model. A run that
    stopped early gives no `Finished`: its terminal event is the error to report.
    """

    def __init__(self) -> None:
        self._calls = 0

    def deltas_of(self, event: Event) -> tuple[Delta, ...]:
        """The deltas of the next event; none for most events that are not about the answer."""
        match event:
            case RunStarted(provider=provider, model=model):
                return (Accepted(provider, model),)
            case ModelAccepted():
                return (Accepted(event.provider, event.model, event.receipts, event.failovers),)
            case RunCompleted():
                finished = Finished(
                    event.finish_reason,
                    event.usage,
                    event.model,
                    event.stop_sequence,
                    event.vendor_reason,
                )
                return (finished,)
            case _:
                return self._visible(event)

    def _visible(self, event: Event) -> tuple[Delta, ...]:
        match event:
            case TextAppended(text=text, refusal=True):
                return (RefusalDelta(text),)
            case TextAppended(text=text, logprobs=logprobs):
                return (TextDelta(text, logprobs),)
            case ReasoningAppended(text=text):
                return (ReasoningDelta(text),)
            case ReasoningSealed():
                sealed = (event.signature, event.encrypted, event.origin, event.id)
                return (ReasoningDelta("", *sealed),)
            case ToolCalled(own=False, task_id=None):
                return (self._call(event),)
            case SourceFound(citation=citation):
                return (CitationDelta(citation),)
            case VendorPartAdded(part=part):
                return (VendorDelta(part),)
            case _:
                return ()

    def _call(self, event: ToolCalled) -> ToolCallDelta:
        """A whole call at the next index."""
        index = self._calls
        self._calls += 1
        arguments = msgspec.json.encode(event.arguments).decode()
        whole = (event.call_id, event.name, arguments, event.problem, event.origin, event.vendor)
        return ToolCallDelta(index, *whole)

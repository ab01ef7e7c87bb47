"""Renders deltas as the events of a stream.

The events follow from the head and the deltas alone: there is no clock and no chance in them, so
that a stored response gives the same events again, and a reader resumes after any of them.
"""

from contextlib import suppress
from typing import Final

from msgspec.structs import replace

from cartrita.dialects.openai_error_rendering import fields as error_fields
from cartrita.dialects.openai_responses import DIALECT, approval_items, output_items, reasoning
from cartrita.dialects.openai_responses.approval_items import REQUIRES_ACTION
from cartrita.dialects.openai_responses.event_writing import (
    EventWriter,
    OpenCall,
    OpenItem,
    OpenMessage,
    OpenReasoning,
)
from cartrita.dialects.openai_responses.output_items import ItemStatus
from cartrita.dialects.openai_responses.relay import Monitor
from cartrita.dialects.openai_responses.request_parsing import ENCRYPTED_REASONING
from cartrita.dialects.openai_responses.response_objects import (
    Ending,
    ResponseHead,
    Status,
    response_object,
)
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
from cartrita.domain.errors import CartritaError, UpstreamError
from cartrita.domain.json import JsonObject

_INCOMPLETE: Final = {
    FinishReason.LENGTH: "max_output_tokens",
    FinishReason.CONTENT_FILTER: "content_filter",
}


class _Call:
    """A function call: it is open once its id and name are known; arguments wait until then."""

    def __init__(self) -> None:
        self.call_id: str | None = None
        self.name: str | None = None
        self.waiting = ""
        self.open: OpenCall | None = None


class StreamRenderer:
    """Renders one answer: `feed` it the deltas; the last events come with `Finished`.

    Events up to the number `after` are left out, for a reader that has had them.
    """

    def __init__(self, head: ResponseHead, *, after: float = -1) -> None:
        self._head = head
        self._writer = EventWriter(after=after)
        self._ids: dict[int, str] = {}
        self._done: dict[int, JsonObject] = {}
        self._open: OpenMessage | OpenReasoning | None = None
        self._calls: dict[int, _Call] = {}
        self._count = 0
        self._started = False
        self._asked = False
        """Whether people were asked last: that is the end, unless the answer goes on."""
        self._status: Status = "in_progress"
        self._ending = Ending()

    @classmethod
    def resumed(cls, monitor: Monitor, extra: JsonObject = {}) -> "StreamRenderer":  # noqa: B006
        """Continues a stream that was relayed so far, with its ids and numbers.

        `extra` are fields of ours that the response gets from here on.

        One that is too long to keep, or malformed, can only be ended: what it said is not known.
        """
        relayed = monitor.relayed()
        head = replace(relayed.head, extra={**relayed.head.extra, **extra})
        renderer = cls(head, after=float("inf"))
        renderer._ids = relayed.ids
        renderer._start()
        with suppress(UpstreamError):
            for delta in monitor.deltas():
                renderer.feed(delta)
        if relayed.closed:
            renderer._close_open()
        renderer._writer = EventWriter(first=relayed.next_number)
        renderer._adopt_writer()
        return renderer

    @property
    def status(self) -> Status:
        """The state of the response after the deltas so far."""
        return self._status

    @property
    def output(self) -> list[JsonObject]:
        """The items so far; those that are still open are incomplete."""
        items = dict(self._done)
        items |= {each.index: each.item("incomplete") for each in self._open_items()}
        return [items[index] for index in sorted(items)]

    def response(self, completed_at: int | None = None) -> JsonObject:
        """The whole response object as it is now."""
        ending = self._ending
        if completed_at is not None and self._status == "completed":
            ending = Ending(usage=ending.usage, completed_at=completed_at)
        return response_object(self._head, self._status, self.output, ending)

    def feed(self, delta: Delta) -> bytes:
        """The events of one delta. Those of the whole answer end with `Finished`."""
        self._start()
        if self._asked and not isinstance(delta, VendorDelta | Finished):
            self._go_on()
        match delta:
            case Accepted():
                pass
            case TextDelta() if delta.text or delta.logprobs:
                self._message().text(delta.text, delta.logprobs)
            case RefusalDelta() if delta.text:
                self._message().refusal(delta.text)
            case CitationDelta():
                self._message().cite(delta.citation)
            case ReasoningDelta():
                self._reason(delta)
            case ToolCallDelta():
                self._call(delta)
            case _:
                self._feed_whole(delta)
        return self._writer.take()

    def error(self, error: CartritaError) -> bytes:
        """The last events of an answer that failed: what there is of it is in the response."""
        self._start()
        told = error_fields(error)
        flat: JsonObject = {name: told[name] for name in ("code", "message", "param")}
        self._writer.write("error", {**flat, "error": told})
        self._ending = Ending(usage=self._ending.usage, error=error)
        self._end("failed", "response.failed")
        return self._writer.take()

    def cancelled(self) -> bytes:
        """The last event of an answer that was cancelled."""
        self._start()
        self._end("cancelled", "response.cancelled")
        return self._writer.take()

    def close_items(self, status: ItemStatus) -> None:
        """End what is open, of an answer to which nothing will be added."""
        self._close_all(status)

    def _start(self) -> None:
        if self._started:
            return
        self._started = True
        if self._head.background:
            queued = response_object(self._head, "queued", [])
            self._writer.write("response.created", {"response": queued})
            self._writer.write("response.queued", {"response": queued})
        begun = response_object(self._head, "in_progress", [])
        if not self._head.background:
            self._writer.write("response.created", {"response": begun})
        self._writer.write("response.in_progress", {"response": begun})

    def _go_on(self) -> None:
        """The number of the event that has told a reader that people were asked."""
        self._asked = False
        begun = response_object(self._head, "in_progress", [])
        self._writer.write("response.in_progress", {"response": begun})

    def _end(self, status: Status, event: str) -> None:
        self._status = status
        self._writer.write(event, {"response": self.response()})

    def _feed_whole(self, delta: Delta) -> None:
        if isinstance(delta, Finished):
            self._finish(delta)
        elif isinstance(delta, VendorDelta) and delta.part.origin == DIALECT:
            self._close_open()
            index = self._next_index()
            item = delta.part.data
            self._writer.write("response.output_item.added", {"output_index": index, "item": item})
            self._writer.write("response.output_item.done", {"output_index": index, "item": item})
            self._done[index] = item
            self._asked = approval_items.is_own(item)

    def _message(self) -> OpenMessage:
        if isinstance(self._open, OpenMessage):
            return self._open
        self._close_open()
        index = self._next_index()
        item_id = self._ids.get(index) or output_items.item_id("msg", self._head.id, index)
        self._open = message = OpenMessage(self._writer, item_id, index)
        message.begin()
        return message

    def _reason(self, delta: ReasoningDelta) -> None:
        if not delta.text and not delta.sealed:
            return
        block = self._open
        if not isinstance(block, OpenReasoning):
            self._close_open()
            index = self._next_index()
            item_id = self._ids.get(index) or output_items.item_id("rs", self._head.id, index)
            self._open = block = OpenReasoning(self._writer, item_id, index)
            block.begin()
        if delta.text:
            block.text(delta.text)
        if delta.sealed:
            if ENCRYPTED_REASONING in self._head.include:
                block.sealed = reasoning.wrap(delta, block.id)
            self._close_open()

    def _call(self, delta: ToolCallDelta) -> None:
        self._close_open()
        call = self._calls.setdefault(delta.index, _Call())
        call.call_id = call.call_id or delta.call_id
        call.name = call.name or delta.name
        call.waiting += delta.arguments
        if call.open is None and call.call_id and call.name:
            self._begin(call)
        if call.open is not None:
            call.open.arguments(call.waiting)
            call.waiting = ""

    def _begin(self, call: _Call) -> OpenCall:
        index = self._next_index()
        item_id = self._ids.get(index) or output_items.item_id("fc", self._head.id, index)
        call_id = call.call_id or f"call_{item_id}"
        call.open = OpenCall(self._writer, item_id, index, call_id, call.name or "")
        call.open.begin()
        return call.open

    def _finish(self, delta: Finished) -> None:
        reason = _INCOMPLETE.get(delta.reason)
        for call in self._calls.values():
            if call.open is None:
                self._begin(call).arguments(call.waiting)
        self._close_all("completed" if reason is None else "incomplete")
        if delta.reason is FinishReason.ERROR:
            failure = CartritaError("The model failed to complete its answer.")
            self._ending = Ending(usage=delta.usage, error=failure)
            return self._end("failed", "response.failed")
        self._ending = Ending(usage=delta.usage, reason=reason)
        if delta.vendor_reason == REQUIRES_ACTION:
            return self._end(REQUIRES_ACTION, "response.completed")
        status: Status = "completed" if reason is None else "incomplete"
        return self._end(status, f"response.{status}")

    def _open_items(self) -> list[OpenItem]:
        calls = [call.open for call in self._calls.values() if call.open is not None]
        return [*([] if self._open is None else [self._open]), *calls]

    def _close_all(self, status: ItemStatus) -> None:
        """Close what is open; only the last item can be incomplete."""
        items = sorted(self._open_items(), key=lambda each: each.index)
        for item in items:
            last = item.index == self._count - 1
            self._done[item.index] = item.close(status if last else "completed")
        self._open = None
        self._calls.clear()

    def _close_open(self) -> None:
        if self._open is not None:
            self._done[self._open.index] = self._open.close("completed")
            self._open = None

    def _next_index(self) -> int:
        self._count += 1
        return self._count - 1

    def _adopt_writer(self) -> None:
        for item in self._open_items():
            item.adopt(self._writer)

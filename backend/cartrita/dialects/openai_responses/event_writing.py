"""Writes the events of a stream, numbered from 0, and those of the items that are still open."""

from abc import ABC, abstractmethod

import msgspec

from cartrita.dialects.openai_responses import content_rendering, output_items
from cartrita.dialects.openai_responses.output_items import ItemStatus
from cartrita.domain.json import JsonObject, JsonValue
from cartrita.domain.messages import Citation
from cartrita.kit import sse

_encode = msgspec.json.Encoder().encode


class EventWriter:
    """Numbers events and frames them; those up to the number `after` are counted, not written."""

    def __init__(self, *, first: int = 0, after: float = -1) -> None:
        self.next = first
        self.after = after
        self._frames: list[bytes] = []

    def write(self, event: str, fields: JsonObject) -> None:
        number, self.next = self.next, self.next + 1
        if number > self.after:
            data: JsonObject = {"type": event, "sequence_number": number, **fields}
            self._frames.append(sse.frame(_encode(data), event=event))

    def take(self) -> bytes:
        """The frames since the last time."""
        frames, self._frames = b"".join(self._frames), []
        return frames


class OpenItem(ABC):
    """An item that has begun: its id, its place in the output, and its events."""

    def __init__(self, writer: EventWriter, item_id: str, index: int) -> None:
        self._writer = writer
        self.id = item_id
        self.index = index

    @abstractmethod
    def item(self, status: ItemStatus) -> JsonObject:
        """The item as far as it has come."""

    def begin(self) -> None:
        self._tell("response.output_item.added", item=self.item("in_progress"))

    def close(self, status: ItemStatus) -> JsonObject:
        """The events of its end. Returns the whole item."""
        item = self.item(status)
        self._tell("response.output_item.done", item=item)
        return item

    def adopt(self, writer: EventWriter) -> None:
        """Write further events there."""
        self._writer = writer

    def _tell(self, event: str, **fields: JsonValue) -> None:
        self._writer.write(event, {"output_index": self.index, **fields})

    def _tell_of(self, event: str, **fields: JsonValue) -> None:
        self._tell(event, item_id=self.id, **fields)


class OpenMessage(OpenItem):
    """A message of text and refusals; each run of the one or the other is a part."""

    def __init__(self, writer: EventWriter, item_id: str, index: int) -> None:
        super().__init__(writer, item_id, index)
        self._parts: list[JsonValue] = []
        self._kind: str | None = None
        self._pieces: list[str] = []
        self._logprobs: list[JsonValue] = []
        self._annotations: list[JsonValue] = []
        self._cited = 0
        self._length = 0

    def text(self, text: str, logprobs: tuple[JsonObject, ...]) -> None:
        self._open("output_text")
        self._pieces.append(text)
        self._length += len(text)
        self._logprobs.extend(logprobs)
        self._tell_part("response.output_text.delta", delta=text, logprobs=list(logprobs))

    def refusal(self, text: str) -> None:
        self._open("refusal")
        self._pieces.append(text)
        self._tell_part("response.refusal.delta", delta=text)

    def cite(self, citation: Citation) -> None:
        """A citation of the text since the last one, where it does not say of which."""
        self._open("output_text")
        annotation = content_rendering.annotation(citation, self._cited, self._length)
        if annotation is None:
            return
        self._tell_part(
            "response.output_text.annotation.added",
            annotation_index=len(self._annotations),
            annotation=annotation,
        )
        self._annotations.append(annotation)
        self._cited = self._length

    def item(self, status: ItemStatus) -> JsonObject:
        content = list(self._parts)
        if self._kind is not None:
            content.append(self._part())
        return output_items.message_item(self.id, status, content)

    def close(self, status: ItemStatus) -> JsonObject:
        self._close_part()
        return super().close(status)

    def _open(self, kind: str) -> None:
        if self._kind == kind:
            return
        self._close_part()
        self._kind = kind
        self._pieces, self._logprobs, self._annotations = [], [], []
        self._cited = self._length = 0
        self._tell_part("response.content_part.added", part=self._part())

    def _close_part(self) -> None:
        if self._kind is None:
            return
        part = self._part()
        if self._kind == "refusal":
            self._tell_part("response.refusal.done", refusal=part["refusal"])
        else:
            self._tell_part(
                "response.output_text.done", text=part["text"], logprobs=part["logprobs"]
            )
        self._tell_part("response.content_part.done", part=part)
        self._parts.append(part)
        self._kind = None

    def _part(self) -> JsonObject:
        text = "".join(self._pieces)
        if self._kind == "refusal":
            return {"type": "refusal", "refusal": text}
        part = content_rendering.output_text(text, list(self._annotations))
        return {**part, "logprobs": list(self._logprobs)}

    def _tell_part(self, event: str, **fields: JsonValue) -> None:
        self._tell_of(event, content_index=len(self._parts), **fields)


class OpenReasoning(OpenItem):
    """A block of reasoning, as one part of a summary."""

    def __init__(self, writer: EventWriter, item_id: str, index: int) -> None:
        super().__init__(writer, item_id, index)
        self._pieces: list[str] = []
        self.sealed: str | None = None

    def text(self, text: str) -> None:
        if not self._pieces:
            empty = output_items.summary_part("")
            self._tell_part("response.reasoning_summary_part.added", part=empty)
        self._pieces.append(text)
        self._tell_part("response.reasoning_summary_text.delta", delta=text)

    def item(self, status: ItemStatus) -> JsonObject:
        return output_items.reasoning_item(self.id, status, "".join(self._pieces), self.sealed)

    def close(self, status: ItemStatus) -> JsonObject:
        if self._pieces:
            text = "".join(self._pieces)
            self._tell_part("response.reasoning_summary_text.done", text=text)
            part = output_items.summary_part(text)
            self._tell_part("response.reasoning_summary_part.done", part=part)
        return super().close(status)

    def _tell_part(self, event: str, **fields: JsonValue) -> None:
        self._tell_of(event, summary_index=0, **fields)


class OpenCall(OpenItem):
    """A function call."""

    def __init__(
        self, writer: EventWriter, item_id: str, index: int, call_id: str, name: str
    ) -> None:
        super().__init__(writer, item_id, index)
        self._call_id = call_id
        self._name = name
        self._pieces: list[str] = []

    def arguments(self, text: str) -> None:
        if text:
            self._pieces.append(text)
            self._tell_of("response.function_call_arguments.delta", delta=text)

    def item(self, status: ItemStatus) -> JsonObject:
        arguments = "".join(self._pieces)
        return output_items.call_item(self.id, status, self._call_id, self._name, arguments)

    def close(self, status: ItemStatus) -> JsonObject:
        arguments = "".join(self._pieces)
        self._tell_of("response.function_call_arguments.done", name=self._name, arguments=arguments)
        return super().close(status)

"""Relays requests and answers of this dialect as bytes: changes the model, watches the answer.

Most frames are pieces of text: they are passed on unread.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final, cast

import msgspec

from cartrita.dialects import relay_monitors, relayed_bodies, relayed_frames
from cartrita.dialects.anthropic_messages import (
    errors,
    event_order,
    foreign_seals,
    response_parsing,
)
from cartrita.dialects.anthropic_messages.answer_fields import MessageHead, usage_fields
from cartrita.dialects.anthropic_messages.event_order import EventOrder, Mended
from cartrita.dialects.anthropic_messages.response_types import (
    BlockDelta,
    Event,
    MessageBody,
    UsageCounts,
)
from cartrita.dialects.anthropic_messages.stream_parsing import StreamParser, parse_completion
from cartrita.dialects.relay_monitors import StreamMonitor
from cartrita.dialects.relayed_bodies import Change, RelayedBody, marked, replaced
from cartrita.dialects.relayed_names import RenamedEvents
from cartrita.domain.deltas import Delta, Finished, FinishReason
from cartrita.domain.errors import UpstreamMalformed
from cartrita.domain.json import JsonObject, JsonValue
from cartrita.domain.relays import ModelNames
from cartrita.domain.usage import Usage
from cartrita.kit import sse
from cartrita.kit.secret import Secret

_PIECE = b"event: content_block_delta\n"
_FIRST = (*event_order.KNOWN, "ping")
_KINDS: Final[Mapping[str, str]] = MappingProxyType(
    {"text": "text", "thinking": "reasoning", "tool_use": "tool_call"}
)
_FOREIGN_SEAL = f'"{foreign_seals.PREFIX}'.encode()


def rewrite(body: RelayedBody, *, model: str) -> bytes:
    """The body for the provider's name of the model."""
    return relayed_bodies.rewrite(body, {"model": relayed_bodies.replaced(model)})


def is_relayable(body: RelayedBody) -> bool:
    """Whether the provider understands all of it: reasoning of other dialects is sealed by us."""
    return _FOREIGN_SEAL not in body.octets


class OpenBlock(msgspec.Struct, frozen=True):
    """A block of a relayed answer that has not ended."""

    index: int
    type: str


class Monitor(StreamMonitor):
    """Watches one streamed answer; `visible` is true once a piece of a block is in what was fed."""

    def __init__(
        self,
        provider: str,
        secrets: tuple[Secret, ...] = (),
        names: ModelNames | None = None,
        *,
        keep_bytes: int = 1 << 20,
    ) -> None:
        renamed = (
            None if names is None else RenamedEvents(names, b"message_start", "message", "model")
        )
        super().__init__(provider, secrets, names, renamed=renamed, keep_bytes=keep_bytes)
        self._counts: UsageCounts | None = None
        self.model: str | None = None
        self._order = EventOrder()
        self._kinds: Counter[str] = Counter()
        self.next_index = 0
        self.open_block: OpenBlock | None = None

    @property
    def begun(self) -> bool:
        """Whether the message has begun."""
        return self._order.begun

    @property
    def parts(self) -> Mapping[str, int]:
        """See `RelayMonitor`."""
        return dict(self._kinds)

    @property
    def misplaced(self) -> int:
        """See `RelayMonitor`."""
        return self._order.misplaced

    def _new_parser(self) -> StreamParser:
        return StreamParser(self._provider, self._secrets)

    def _is_plain(self, frames: bytes) -> bool:
        """Whether there is nothing to read; a text that contains such words is read in vain."""
        if frames.count(_PIECE) != frames.count(b"\n\n"):
            return False
        return relayed_frames.look_whole(
            frames, self._read_delta, b'"index":', b'"delta":{"type":"'
        ) and not (
            b"content_block_st" in frames
            or b"message_" in frames
            or b"error" in frames
            or b"null" in frames
        )

    def _look(self, octets: bytes, frame: sse.Frame) -> bytes | None:
        """What is passed on of a frame, of which this takes note."""
        if frame.event == "error":
            raise errors.from_frame(self._provider, frame.data, self._secrets)
        if not frame.data:
            return None
        try:
            event = response_parsing.decode_event(frame.data)
            if event.error or event.type == "error":
                raise errors.from_frame(self._provider, frame.data, self._secrets)
        except ValueError as problem:
            raise UpstreamMalformed(
                f"{self._provider} sent something that is not an answer of the Messages API.",
                provider=self._provider,
                details={"problem": str(problem)[:200]},
            ) from None
        if not _is_sound(event) or not (self.begun or event.type in _FIRST):
            return None
        mended = self._order.mend(event)
        if not mended.kept:
            return None
        before = b"".join(map(self._inserted, mended.before))
        data = _mended(frame.data, mended)
        event = msgspec.structs.replace(event, index=mended.fields.get("index", event.index))
        self._note(event)
        changed = self._with_usage(data, event)
        if changed is None and data is frame.data and frame.event == event.type:
            return before + octets
        # Clients do not read what has no name, or that of another event.
        return before + sse.frame(changed or data, event=event.type)

    def _inserted(self, event: JsonObject) -> bytes:
        """An event that the provider left out, of which this takes note."""
        block = event.get("content_block")
        if isinstance(block, dict):
            self._note(msgspec.convert(event, Event))
        elif self._estimate is not None:
            usage = _usage_fields(self._estimate(None, ()))
            event = {**event, "message": {**cast("JsonObject", event["message"]), "usage": usage}}
        return sse.frame(json.dumps(event), event=cast("str", event["type"]))

    def _read_delta(self, data: bytes) -> None:
        """Raises ValueError for what is no piece of a block, and where none is expected."""
        event = response_parsing.decode_event(data)
        if event.type != "content_block_delta" or not _is_sound(event):
            raise ValueError("it is no piece of a block")
        if not self._order.expects(event):
            raise ValueError("something is missing before it")

    def _with_usage(self, data: str, event: Event) -> bytes | None:
        """The event with an estimate of the usage, where it should tell one and does not."""
        if self._estimate is None:
            return None
        if event.type == "message_start" and event.message and _lacks_input(event.message.usage):
            fields = cast("JsonObject", json.loads(data)["message"])
            usage = _usage_fields(self._estimate(self.usage, ()))
            changes = {"message": replaced({**fields, "usage": usage})}
        elif event.type == "message_delta" and self._lacks_output(event.usage):
            self.usage = self._estimate(self.usage, self.written())
            changes = _usage_changes(self.usage)
        else:
            return None
        return relayed_bodies.told(data.encode("utf-8", "surrogatepass"), changes)

    def _lacks_output(self, told: JsonValue) -> bool:
        """Whether the end tells no tokens of the output, or none at all."""
        counts = response_parsing.counts_of(told)
        if counts is None or counts.output_tokens is None:
            return True
        return self.usage is None or not self.usage.total_tokens

    def _note(self, event: Event) -> None:
        match event.type:
            case "message_start":
                self._note_message(event.message or MessageBody())
            case "content_block_start":
                index = self.next_index if event.index is None else event.index
                kind = (event.content_block or {}).get("type")
                self.open_block = OpenBlock(index, kind if isinstance(kind, str) else "")
                self._kinds[_KINDS.get(self.open_block.type, "other")] += 1
                self.next_index = index + 1
            case "content_block_delta":
                self.visible = True
            case "content_block_stop":
                self.visible = True
                self.open_block = None
            case "message_delta":
                self._note_usage(event.usage)
                if event.delta is not None and event.delta.stop_reason:
                    reason = response_parsing.finish_reason(event.delta.stop_reason)
                    self.finish_reason = reason or FinishReason.STOP
            case "message_stop":
                self.complete = True
            case _:
                pass

    def _note_message(self, message: MessageBody) -> None:
        self.model = message.model
        self._note_usage(message.usage)

    def _note_usage(self, told: JsonValue) -> None:
        if (counts := response_parsing.counts_of(told)) is not None:
            self._counts = response_parsing.merge(self._counts or UsageCounts(), counts)
            self.usage = response_parsing.usage(self._counts)


class BodyMonitor(relay_monitors.BodyMonitor):
    """Watches one message that is not streamed."""

    _deltas: Sequence[Delta] = ()

    def deltas(self) -> list[Delta]:
        """The deltas of the message."""
        return list(self._deltas)

    def _read(self, body: bytes) -> None:
        self._deltas = parse_completion(self._provider, body, self._secrets)
        end = self._deltas[-1]
        if isinstance(end, Finished):
            self.usage = end.usage if end.usage.total_tokens else None
            self.finish_reason = end.reason

    def _with_usage(self, body: bytes, usage: Usage) -> bytes:
        return relayed_bodies.told(body, _usage_changes(usage))


def _mended(data: str, mended: Mended) -> str:
    """The event with the fields that mend it; itself if there are none."""
    if not (mended.fields or mended.within):
        return data
    event: JsonObject = {**json.loads(data), **mended.fields}  # it may hold half a surrogate pair
    for name, fields in mended.within.items():
        event[name] = {**cast("JsonObject", event[name]), **fields}
    return json.dumps(event)


def _usage_changes(usage: Usage) -> dict[str, Change]:
    """The changes that tell a usage of which a part was estimated."""
    return {"usage": replaced(_usage_fields(usage)), "metadata": marked(usage.estimate)}


def _lacks_input(told: JsonValue) -> bool:
    counts = response_parsing.counts_of(told)
    return counts is None or counts.input_tokens is None


def _usage_fields(usage: Usage) -> JsonObject:
    return usage_fields(usage, MessageHead(id="", model=""))


def _is_sound(event: Event) -> bool:
    """Whether clients can read it: it has a type, and what an event of its type is about."""
    match event.type:
        case "message_start":
            return event.message is not None
        case "content_block_start":
            return event.index is not None and event.content_block is not None
        case "content_block_delta":
            return event.index is not None and event.delta is not None and _says(event.delta)
        case "content_block_stop":
            return event.index is not None
        case "message_delta":
            return event.delta is not None
        case kind:
            return bool(kind)


def _says(delta: BlockDelta) -> bool:
    """Whether a piece has what its type names; one of another type need only have that."""
    pieces = {
        "text_delta": delta.text,
        "input_json_delta": delta.partial_json,
        "thinking_delta": delta.thinking,
        "signature_delta": delta.signature,
        "citations_delta": delta.citation,
    }
    return bool(delta.type) and pieces.get(delta.type, delta.type) is not None

"""Relays requests and answers of this API as they are, and watches the answers.

An answer tells its usage in its last event, so nothing has to be asked for and nothing hidden.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final, cast

import msgspec

from cartrita.dialects import relay_monitors, relayed_bodies, relayed_frames
from cartrita.dialects.openai_responses import reasoning, response_parsing, stream_parsing
from cartrita.dialects.openai_responses import response_types as wire
from cartrita.dialects.openai_responses.event_order import EventOrder
from cartrita.dialects.openai_responses.request_parsing import ENCRYPTED_REASONING
from cartrita.dialects.openai_responses.response_objects import ResponseHead, usage_object
from cartrita.dialects.openai_responses.stream_parsing import StreamParser
from cartrita.dialects.relay_monitors import StreamMonitor
from cartrita.dialects.relayed_bodies import RelayedBody, marked, replaced
from cartrita.dialects.relayed_names import RenamedEvents
from cartrita.domain.deltas import Delta, Finished
from cartrita.domain.json import JsonObject, JsonValue
from cartrita.domain.relays import Estimate, ModelNames
from cartrita.domain.usage import Usage
from cartrita.kit import sse
from cartrita.kit.secret import Secret

_OF_RESPONSE: Final = (
    *("response.created", "response.queued", "response.in_progress"),
    *stream_parsing.TERMINAL,
)
_INVISIBLE: Final = (
    *_OF_RESPONSE,
    *("response.output_item.added", "response.content_part.added"),
    "response.reasoning_summary_part.added",
)
"""The events that only announce: all others of a response show a part of it."""
_KINDS: Final[Mapping[str, str]] = MappingProxyType(
    {"message": "text", "reasoning": "reasoning", "function_call": "tool_call"}
)
_AT_WORK: Final = (".in_progress", ".searching", ".interpreting", ".generating")
"""The ends of the types of events that tell what a tool does."""
_OUR_SEAL: Final = f'"{reasoning.PREFIX}'.encode()
_OWN: Final = {
    *("id", "object", "created_at", "status", "background", "completed_at", "error", "model"),
    *("incomplete_details", "output", "previous_response_id", "conversation", "store", "usage"),
    "metadata",
}


def rewrite(body: RelayedBody, *, model: str) -> bytes:
    """The body for the provider's name of the model, with its reasoning as OpenAI sealed it.

    Nothing else is changed.
    """
    changes = {"model": replaced(model)}
    if (unsealed := _unsealed(body)) is not None:
        changes["input"] = replaced(unsealed)
    return relayed_bodies.rewrite(body, changes)


def is_relayable(body: RelayedBody) -> bool:
    """Whether the provider understands all of it: reasoning of other dialects is sealed by us."""
    try:
        _unsealed(body)
    except ValueError:
        return False
    return True


def _unsealed(body: RelayedBody) -> JsonValue:
    """The input with the reasoning that OpenAI sealed, where we sealed it again; else None.

    Raises ValueError if we sealed other reasoning.
    """
    content = body.value("input") or b""
    if not content.startswith(b"[") or not (_OUR_SEAL in content or b"\\u" in content):
        return None
    items: list[JsonValue] = body.parsed("input")
    unsealed = [reasoning.unwrapped(item) for item in items]
    changed = any(new is not old for new, old in zip(unsealed, items, strict=True))
    return unsealed if changed else None


class Relayed(msgspec.Struct, frozen=True):
    """What a relayed stream has told so far: `ids` are those of its items, by their place.

    `closed` is true if the last item has ended; `next_number` is that of the next event.
    """

    head: ResponseHead
    ids: dict[int, str]
    closed: bool
    next_number: int


class Monitor(StreamMonitor):
    """Watches one streamed response."""

    def __init__(
        self,
        provider: str,
        secrets: tuple[Secret, ...] = (),
        names: ModelNames | None = None,
        *,
        keep_bytes: int = 1 << 20,
    ) -> None:
        renamed = (
            None if names is None else RenamedEvents(names, b'"response"', "response", "model")
        )
        super().__init__(provider, secrets, names, renamed=renamed, keep_bytes=keep_bytes)
        self._order = EventOrder()
        self._kinds: Counter[str] = Counter()

    @property
    def parts(self) -> Mapping[str, int]:
        """See `RelayMonitor`."""
        return dict(self._kinds)

    @property
    def misplaced(self) -> int:
        """See `RelayMonitor`."""
        return self._order.misplaced

    def prepare(self, line_limit: int, estimate: Estimate) -> None:
        """See `StreamMonitor`; lines may be as long as those that are parsed."""
        super().prepare(max(line_limit, StreamParser.line_bytes), estimate)

    def relayed(self) -> Relayed:
        """What the stream has told; of one that is too long to keep, its start and end."""
        frames = relayed_frames.parse(self._frames.first + self._frames.latest)
        if not self.overlong:
            frames = self._frames.passed_on()
        head = ResponseHead(id="resp_", created_at=0, model="")
        ids: dict[int, str] = {}
        closed: set[int] = set()
        number = -1
        for frame in frames:
            data = _decoded(frame)
            told, index = data.get("sequence_number"), data.get("output_index")
            number = told if isinstance(told, int) else number + 1
            item, kind = data.get("item"), data.get("type")
            if kind == "response.created":
                head = _head(cast("JsonObject", data.get("response") or {}), self._names)
            if isinstance(item, dict) and isinstance(index, int):
                ids[index] = str(item.get("id") or "")
                if kind == "response.output_item.done":
                    closed.add(index)
        return Relayed(head, ids, bool(ids) and max(ids) in closed, number + 1)

    def _new_parser(self) -> StreamParser:
        return StreamParser(self._provider, self._secrets)

    def _is_plain(self, frames: bytes) -> bool:
        """Whether there is nothing to read; a text that contains such words is read in vain."""
        return relayed_frames.look_whole(frames, self._read_delta, b'"type":"response.') and not (
            b"response.completed" in frames
            or b"response.incomplete" in frames
            or b"response.failed" in frames
            or b'"error"' in frames
            or b"event: error" in frames
            or b"null" in frames
        )

    def _look(self, octets: bytes, frame: sse.Frame) -> bytes | None:
        """What is passed on of a frame, of which this learns."""
        if frame.data == "[DONE]":
            return octets
        parser = StreamParser(self._provider, self._secrets)
        deltas = parser.feed(frame.data, frame.event)
        event = response_parsing.decode_event(frame.data or "{}")
        if not _is_sound(event) or not (self._order.begun or event.type.startswith("response.")):
            return None
        mended = self._order.mend(event)
        within = mended.within
        self.visible = self.visible or _is_visible(event.type)
        if event.type == "response.output_item.added":
            self._kinds[_kind_of(event.item)] += 1
        if event.type in stream_parsing.TERMINAL:
            self._finish(parser)
            if self.complete and self.usage is None and self._estimate is not None:
                # The last event may leave out what was told before it.
                self.usage = self._estimate(None, deltas or self.written())
                within = {"response": {**within.get("response", {}), **_told_usage(self.usage)}}
        told = _with_fields(frame, within) if within else octets
        return b"".join([*map(_framed, mended.before), told]) if mended.before else told

    def _read_delta(self, data: bytes) -> None:
        """Raises ValueError for what is no piece of text, and where none is expected."""
        event = response_parsing.decode_event(data)
        if not (event.type.endswith(".delta") and isinstance(event.delta, str)):
            raise ValueError("it is no piece of text")
        if not self._order.expects(event):
            raise ValueError("something is missing before it")

    def _finish(self, parser: StreamParser) -> None:
        if not parser.complete:
            return
        finished = cast("Finished", parser.end()[-1])
        self.complete = True
        self.finish_reason = finished.reason
        self.usage = finished.usage if finished.usage.total_tokens else None


class BodyMonitor(relay_monitors.BodyMonitor):
    """Watches one response that is not streamed."""

    _deltas: Sequence[Delta] = ()

    def deltas(self) -> list[Delta]:
        """The deltas of the response."""
        return list(self._deltas)

    def _read(self, body: bytes) -> None:
        self._deltas = stream_parsing.parse_completion(self._provider, body, self._secrets)
        finished = cast("Finished", self._deltas[-1])
        self.finish_reason = finished.reason
        self.usage = finished.usage if finished.usage.total_tokens else None

    def _with_usage(self, body: bytes, usage: Usage) -> bytes:
        fields = {"usage": replaced(usage_object(usage)), "cartrita": marked(usage.estimate)}
        return relayed_bodies.told(body, fields)


def _told_usage(usage: Usage) -> JsonObject:
    """The fields of a response whose usage is an estimate."""
    marks: JsonObject = {"usage": usage.estimate}
    return {"usage": usage_object(usage), "cartrita": marks}


def _with_fields(frame: sse.Frame, within: dict[str, JsonObject]) -> bytes:
    """The event with these fields within its objects."""
    event: JsonObject = json.loads(frame.data)  # which may hold half a surrogate pair
    for name, fields in within.items():
        event[name] = {**cast("JsonObject", event[name]), **fields}
    return sse.frame(json.dumps(event), event=frame.event)


def _framed(event: JsonObject) -> bytes:
    return sse.frame(json.dumps(event), event=cast("str", event["type"]))


def _is_visible(kind: str) -> bool:
    """Whether an event of this type shows a part of the answer, of whatever kind."""
    return (
        kind.startswith("response.")  # some servers send others while nothing happens
        and kind not in _INVISIBLE
        and not kind.endswith(_AT_WORK)
    )


def _is_sound(event: wire.Event) -> bool:
    """Whether clients can read it: it has a type, and what an event of its type is about."""
    if event.type.endswith(".delta"):
        return isinstance(event.delta, str)
    if event.type in _OF_RESPONSE:
        return isinstance(event.response, dict)
    return bool(event.type)


def _kind_of(item: JsonValue) -> str:
    kind = item.get("type") if isinstance(item, dict) else None
    return _KINDS.get(kind, "other") if isinstance(kind, str) else "other"


def _decoded(frame: sse.Frame) -> JsonObject:
    """The JSON of a frame; empty for `[DONE]`, and where half a surrogate pair is in it."""
    try:
        return msgspec.json.decode(frame.data, type=JsonObject)
    except (msgspec.DecodeError, RecursionError):
        return {}


def _head(response: JsonObject, names: ModelNames | None) -> ResponseHead:
    """The head of a response that another server began: whatever it said is repeated."""
    created, model = response.get("created_at"), str(response.get("model") or "")
    return ResponseHead(
        id=str(response.get("id") or "resp_"),
        created_at=int(created) if isinstance(created, int | float) else 0,
        model=model if names is None else names.told(model),
        background=response.get("background") is True,
        store=response.get("store") is not False,
        metadata=_object(response.get("metadata")),
        include=(ENCRYPTED_REASONING,),
        echo={name: value for name, value in response.items() if name not in _OWN},
    )


def _object(value: JsonValue) -> JsonObject:
    return cast("JsonObject", value) if isinstance(value, dict) else {}

"""Passes requests and answers on as they are: rewrites the model's name, watches the bytes.

Most chunks of a stream are plain text, and are not parsed: a few substrings, of which one is in
every chunk that matters, tell them apart.
"""

import re
from collections.abc import Iterator

import msgspec

from cartrita.dialects.openai_chat import errors, response_parsing
from cartrita.dialects.openai_chat import response_types as wire
from cartrita.dialects.openai_chat.answer_fields import CompletionHead
from cartrita.dialects.openai_chat.stream_parsing import StreamParser, decode, parse_completion
from cartrita.domain.deltas import Delta, FinishReason
from cartrita.domain.errors import InvalidInput, Malformed, UpstreamCut, UpstreamMalformed
from cartrita.domain.usage import Usage
from cartrita.kit import sse
from cartrita.kit.secret import Secret

_FIELD = re.compile(rb'[\s,]*("(?:[^"\\]|\\.)*")\s*:\s*', re.S)
_BLANK_LINE = re.compile(rb"(?>\r\n|\n|\r)(?>\r\n|\n|\r)")
_USAGE_WISH = b'{"include_usage":true}'
_encode = msgspec.json.Encoder().encode
_decode_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_decode_name = msgspec.json.Decoder(str).decode


def rewrite(body: bytes, *, model: str, ask_for_usage: bool = False) -> bytes:
    """The body with another model, and with the wish for a usage chunk; all else byte for byte.

    Raises Malformed for what is no JSON object, or names a field twice; InvalidInput without a
    model.
    """
    fields = _locate_fields(body)
    if "model" not in fields:
        message = "you must provide a model parameter"
        raise InvalidInput(message, fields={"model": [message]})
    values = {"model": _encode(model)}
    if ask_for_usage:
        start, end = fields.get("stream_options", (0, 0))
        values["stream_options"] = _with_usage(body[start:end])
    added = [name for name in values if name not in fields]
    for name in sorted(values.keys() - set(added), key=lambda name: fields[name], reverse=True):
        start, end = fields[name]
        body = body[:start] + values[name] + body[end:]
    if added:
        end = body.rindex(b"}")
        body = body[:end] + b',"stream_options":' + values["stream_options"] + body[end:]
    return body


def _locate_fields(body: bytes) -> dict[str, tuple[int, int]]:
    """Where the value of each field of the top level begins and ends."""
    try:
        fields = _decode_fields(body)
    except (ValueError, RecursionError):
        raise Malformed("The body is not a JSON object.") from None
    places: dict[str, tuple[int, int]] = {}
    at = body.index(b"{") + 1
    for name, value in fields.items():
        raw = bytes(value)
        match = _FIELD.match(body, at)
        if match is None or _decode_name(match[1]) != name or not body.startswith(raw, match.end()):
            raise _twice()
        at = match.end() + len(raw)
        places[name] = (match.end(), at)
    if body[at:].strip() != b"}":
        raise _twice()
    return places


def _twice() -> Malformed:
    return Malformed("The body names a field twice: send it once.")


def _with_usage(options: bytes) -> bytes:
    """The stream options with the wish for usage; what is no object is left to the provider."""
    if options in (b"", b"null"):
        return _USAGE_WISH
    try:
        fields = _decode_fields(options)
    except ValueError:
        return options
    return _encode({**fields, "include_usage": True})


class Monitor:
    """Watches a streamed answer: `feed` it each read, and pass on what it returns.

    `keep_bytes` bounds what is kept to be parsed later. With `hide_usage`, the chunk that tells
    only the usage is left out: the caller did not ask for it.
    """

    def __init__(
        self,
        provider: str,
        secrets: tuple[Secret, ...] = (),
        *,
        hide_usage: bool = False,
        keep_bytes: int = 1 << 20,
    ) -> None:
        self._provider = provider
        self._secrets = secrets
        self._hide_usage = hide_usage
        self._keep_bytes = keep_bytes
        self._rest = bytearray()
        self._kept: list[bytes] = []
        self._size = 0
        self._done = False
        self._seen: set[int] = set()
        self._finished: set[int] = set()
        self._first: wire.Completion | None = None
        self.visible = False
        self.usage: Usage | None = None
        self.finish_reason: FinishReason | None = None

    @property
    def complete(self) -> bool:
        """Whether all answers have their finish reasons, or `[DONE]` was sent."""
        return self._done or (bool(self._finished) and self._finished >= self._seen)

    @property
    def overlong(self) -> bool:
        """Whether more was passed on than is kept."""
        return self._size > self._keep_bytes

    def feed(self, piece: bytes) -> bytes:
        """The whole frames to pass on; half ones are held back.

        Raises the error that a frame holds, and UpstreamMalformed.
        """
        whole = self._whole_frames(piece)
        if not (self.visible and _is_plain(whole)):
            whole = self._examine(whole)
        if not whole:
            return whole
        self._size += len(whole)
        if self._size <= self._keep_bytes:
            self._kept.append(whole)
        else:
            self._kept.clear()
        return whole

    def deltas(self) -> list[Delta]:
        """The deltas of what was passed on. Raises UpstreamCut if that was too long to keep."""
        if self.overlong:
            raise UpstreamCut(
                f"{self._provider} broke off an answer that is too long to be continued.",
                provider=self._provider,
            )
        parser = StreamParser(self._provider, self._secrets)
        return [delta for frame in self._frames() for delta in parser.feed(frame.data, frame.event)]

    def end(self) -> None:
        """Raise UpstreamCut unless the answer is complete."""
        if not self.complete:  # the marks may be written in a way that the prefilter does not know
            for frame in self._frames():
                self._inspect(frame)
        if not self.complete:
            raise UpstreamCut(
                f"{self._provider} ended its answer in the middle.", provider=self._provider
            )

    def head(self, *, include_usage: bool = False) -> CompletionHead:
        """The head of the answer, as its first chunk told it."""
        first = self._first or wire.Completion()
        return CompletionHead(
            id=first.id or "",
            model=first.model or "",
            created=first.created or 0,
            include_usage=include_usage,
        )

    def _frames(self) -> list[sse.Frame]:
        return sse.Parser(max_line=self._keep_bytes).feed(b"".join(self._kept))

    def _whole_frames(self, piece: bytes) -> bytes:
        if not self._rest and piece.endswith(b"\n\n"):
            return piece
        start = max(len(self._rest) - 3, 0)
        self._rest += piece
        end = _last_end(self._rest, start)
        whole = bytes(self._rest[:end])
        del self._rest[:end]
        if len(self._rest) > sse.MAX_LINE:
            raise UpstreamMalformed(
                f"{self._provider} sent a line or an event that is too long to be one.",
                provider=self._provider,
            )
        return whole

    def _examine(self, whole: bytes) -> bytes:
        """The frames that are passed on, after a look into each."""
        passed = bytearray()
        for raw in _split(whole):
            hidden = False
            for frame in sse.Parser(max_line=len(raw) + 1).feed(raw):
                hidden = self._inspect(frame)
            if not hidden:
                passed += raw
        return bytes(passed)

    def _inspect(self, frame: sse.Frame) -> bool:
        """Learn from the frame; true if it is to be hidden."""
        if frame.data == "[DONE]":
            self._done = True
        if frame.data in ("[DONE]", ""):
            return False
        if frame.event == "error":
            raise errors.from_frame(self._provider, frame.data, self._secrets)
        chunk = decode(self._provider, frame.data)
        if chunk.error:
            raise errors.from_frame(self._provider, frame.data, self._secrets)
        self._first = self._first or chunk
        if chunk.usage is not None:
            self.usage = response_parsing.usage(chunk.usage)
        for choice in chunk.choices or ():
            if choice is not None:
                self._learn(choice)
        return self._hide_usage and chunk.usage is not None and not chunk.choices

    def _learn(self, choice: wire.Choice) -> None:
        index = choice.index or 0
        self._seen.add(index)
        self.visible = self.visible or (choice.delta is not None and _says_something(choice.delta))
        if choice.finish_reason:
            self._finished.add(index)
            if index == 0:
                reason = response_parsing.finish_reason(choice.finish_reason)
                self.finish_reason = reason or FinishReason.STOP


class BodyMonitor:
    """Watches an answer that is not streamed: it is fed the whole body."""

    overlong = False

    def __init__(self, provider: str, secrets: tuple[Secret, ...] = ()) -> None:
        self._provider = provider
        self._secrets = secrets
        self._body = b""
        self.visible = False
        self.complete = False
        self.usage: Usage | None = None
        self.finish_reason: FinishReason | None = None

    def feed(self, piece: bytes) -> bytes:
        """The body. Raises the error that it holds, UpstreamMalformed if it is no completion."""
        completion = decode(self._provider, piece)
        if completion.error:
            raise errors.from_frame(self._provider, piece, self._secrets)
        first = next((choice for choice in completion.choices or () if choice), None)
        if first is None or first.message is None:
            raise UpstreamMalformed(
                f"{self._provider} sent something that is not a chat completion.",
                provider=self._provider,
            )
        self._body = piece
        self.visible = self.complete = True
        if completion.usage is not None:
            self.usage = response_parsing.usage(completion.usage)
        self.finish_reason = response_parsing.finish_reason(first.finish_reason or "stop")
        return piece

    def deltas(self) -> list[Delta]:
        """The deltas of the body."""
        return parse_completion(self._provider, self._body, self._secrets)

    def end(self) -> None:
        """Raise UpstreamCut unless there was a body."""
        if not self.complete:
            raise UpstreamCut(f"{self._provider} sent no answer.", provider=self._provider)


def _is_plain(frames: bytes) -> bool:
    """Whether no frame ends the answer, tells its usage or holds an error."""
    return not (
        b'_reason":"' in frames
        or b'"usage":{' in frames
        or b'"error"' in frames
        or b"[DONE]" in frames
        or b'_reason": "' in frames
        or b'"usage": {' in frames
        or b"event: error" in frames
        or b"event:error" in frames
    )


def _says_something(message: wire.MessageDelta) -> bool:
    return bool(
        message.content
        or message.refusal
        or message.tool_calls
        or message.reasoning_content
        or message.reasoning
        or message.reasoning_details
    )


def _last_end(buffer: bytearray, start: int) -> int:
    """Where the last whole frame ends; 0 if there is none."""
    if b"\r" not in buffer:
        return buffer.rfind(b"\n\n", start) + 2 if b"\n\n" in buffer[start:] else 0
    ends = [match.end() for match in _BLANK_LINE.finditer(buffer)]
    return ends[-1] if ends else 0


def _split(frames: bytes) -> Iterator[bytes]:
    start = 0
    for match in _BLANK_LINE.finditer(frames):
        yield frames[start : match.end()]
        start = match.end()
    if start < len(frames):
        yield frames[start:]

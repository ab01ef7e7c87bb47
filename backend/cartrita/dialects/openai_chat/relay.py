"""Passes requests and answers on as they are: rewrites the model's name, watches the bytes.

Most chunks of a stream are plain text, and are not parsed: a few substrings, of which one is in
every chunk that matters, tell them apart.
"""

import re
from collections.abc import Mapping
from typing import Final

import msgspec

from cartrita.dialects import openai_errors, relay_monitors, relayed_bodies, relayed_frames
from cartrita.dialects.openai_chat import chunks, response_parsing
from cartrita.dialects.openai_chat import response_types as wire
from cartrita.dialects.openai_chat.answer_fields import CompletionHead, usage_fields
from cartrita.dialects.openai_chat.chunk_names import RenamedChunks
from cartrita.dialects.openai_chat.stream_parsing import StreamParser, decode, parse_completion
from cartrita.dialects.openai_refusals import missing_model
from cartrita.dialects.relay_monitors import StreamMonitor
from cartrita.dialects.relayed_bodies import Change, RelayedBody, marked, replaced
from cartrita.domain.deltas import Delta, FinishReason
from cartrita.domain.errors import UpstreamMalformed
from cartrita.domain.json import JsonObject, JsonValue
from cartrita.domain.relays import ModelNames
from cartrita.domain.usage import Usage
from cartrita.kit import sse
from cartrita.kit.secret import Secret

_DONE = sse.frame("[DONE]")
_USAGE_WISH = b'{"include_usage":true}'
_TEXT: Final = re.compile(rb'"content"\s*:\s*"[^"]')
_CALL: Final = re.compile(rb'"tool_calls"\s*:\s*\[\s*\{\s*"index"\s*:\s*(\d{1,4})\b')
_encode = msgspec.json.Encoder().encode
_decode_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def rewrite(body: RelayedBody, *, model: str, ask_for_usage: bool = False) -> bytes:
    """The body with another model, and with the wish for a usage chunk; all else byte for byte.

    Raises InvalidInput without a model.
    """
    changes: dict[str, Change] = {"model": _replaced_model(model)}
    if ask_for_usage:
        changes["stream_options"] = _with_usage
    return relayed_bodies.rewrite(body, changes)


def _replaced_model(model: str) -> Change:
    def change(value: bytes | None) -> bytes:
        if value is None:
            raise missing_model()
        return _encode(model)

    return change


def _with_usage(options: bytes | None) -> bytes:
    """The stream options with the wish for usage; what is no object is left to the provider."""
    if options is None or options == b"null":
        return _USAGE_WISH
    try:
        fields = _decode_fields(options)
    except ValueError:
        return options
    return _encode({**fields, "include_usage": True})


class Monitor(StreamMonitor):
    """Watches one streamed answer: it is complete when all choices have their finish reasons.

    So many `choices` were asked for. A provider that gives fewer says so by `[DONE]`, or just ends
    after the first alone; otherwise those that it has not begun are missing.

    With `hide_usage`, the chunk that tells only the usage is left out: the caller did not ask for
    it.
    """

    def __init__(
        self,
        provider: str,
        secrets: tuple[Secret, ...] = (),
        names: ModelNames | None = None,
        *,
        choices: int = 1,
        hide_usage: bool = False,
        keep_bytes: int = 1 << 20,
    ) -> None:
        renamed = None if names is None else RenamedChunks(names)
        super().__init__(provider, secrets, names, renamed=renamed, keep_bytes=keep_bytes)
        self._choices = choices
        self._hide_usage = hide_usage
        self._done = False
        self._seen: set[int] = set()
        self._finished: set[int] = set()
        self._first: wire.Completion | None = None

    @property
    def parts(self) -> Mapping[str, int]:
        """See `RelayMonitor`; read from the bytes, because chunks are not parsed for this."""
        kept = self._frames.kept
        found = _CALL.finditer(kept) if b'"tool_calls"' in kept else ()
        calls = max((int(each[1]) + 1 for each in found), default=0)
        counts = {"text": int(_TEXT.search(kept) is not None), "tool_call": calls}
        return {kind: count for kind, count in counts.items() if count}

    def deltas(self) -> list[Delta]:
        """The deltas of what was passed on, as the provider named the model.

        Raises UpstreamError if that was too long to keep.
        """
        return self._parsed(self._new_parser())

    def end(self) -> bytes:
        """The usage and `[DONE]`, as far as the provider left them out.

        Raises UpstreamCut if the answer is incomplete.
        """
        if not (self.complete or self.overlong):  # its marks may be written in an unusual way
            for frame in self._frames.passed_on():
                self._look(b"", frame)
        # Many servers know no other answers, and some number all of them alike.
        self.complete = self.complete or self._finished == self._seen == {0}
        super().end()
        if self._lacks_usage:
            return self._estimated_usage() + _DONE
        return b"" if self._done else _DONE

    def head(self, *, include_usage: bool = False) -> CompletionHead:
        """The head of the answer, as its first chunk told it."""
        first = self._first or wire.Completion()
        model = first.model or ""
        return CompletionHead(
            id=first.id or "",
            model=model if self._names is None else self._names.told(model),
            created=first.created or 0,
            include_usage=include_usage,
        )

    def _new_parser(self) -> StreamParser:
        return StreamParser(self._provider, self._secrets)

    def _is_plain(self, frames: bytes) -> bool:
        """Whether no frame ends the answer, tells its usage, holds an error or looks malformed.

        Those of further answers are not plain, since all that there are must be known.
        """
        return relayed_frames.look_whole(
            frames, chunks.read_sound, b'"delta":{', b'"index":0'
        ) and not (
            b'_reason":"' in frames
            or b'"usage":{' in frames
            or b'"error"' in frames
            or b"[DONE]" in frames
            or b"event:" in frames
            or (b'": ' in frames and (b'_reason": "' in frames or b'"usage": {' in frames))
        )

    def _look(self, octets: bytes, frame: sse.Frame) -> bytes | None:
        """What is passed on of a frame, of which this learns."""
        if frame.data == "[DONE]":
            self._done = self.complete = True
            return b"" if self._lacks_usage else octets
        if not frame.data:
            return None
        if frame.event == "error":
            raise openai_errors.from_frame(self._provider, frame.data, self._secrets)
        try:
            chunk = decode(self._provider, frame.data)
        except UpstreamMalformed:
            if not self.complete:
                raise
            return None  # it would have told the usage
        if chunk.error:
            raise openai_errors.from_frame(self._provider, frame.data, self._secrets)
        self._learn_chunk(chunk)
        self.visible = self.visible or chunks.says_something(frame.data)
        if chunk.usage is not None and not chunk.choices and self._is_hidden(chunk.usage):
            return b""
        return octets if chunks.is_sound(chunk) else chunks.mended(frame.data)

    def _is_hidden(self, counts: JsonValue) -> bool:
        """Whether the caller is not told of the usage, or will be told an estimate instead."""
        nothing = not response_parsing.usage(counts).total_tokens
        return self._hide_usage or (nothing and self._estimate is not None)

    @property
    def _lacks_usage(self) -> bool:
        """Whether the caller asked for a usage that the provider has not told."""
        return self.usage is None and not self._hide_usage and self._estimate is not None

    def _estimated_usage(self) -> bytes:
        assert self._estimate is not None
        self.usage = self._estimate(None, self.written())
        head = self.head()
        chunk: JsonObject = {
            "id": head.id,
            "object": "chat.completion.chunk",
            "created": head.created,
            "model": head.model,
            "choices": [],
            "usage": usage_fields(self.usage),
            "metadata": {"usage": self.usage.estimate},
        }
        return sse.frame(_encode(chunk))

    def _learn_chunk(self, chunk: wire.Completion) -> None:
        if self._first is None and chunk.choices is not None:
            self._first = chunk
        if (told := response_parsing.usage(chunk.usage)).total_tokens:
            self.usage = told
        for choice in chunk.choices or ():
            if choice is not None:
                self._learn(choice)
        self.complete = self._done or (
            len(self._finished) >= self._choices and self._finished >= self._seen
        )

    def _learn(self, choice: wire.Choice) -> None:
        index = choice.index or 0
        self._seen.add(index)
        if choice.finish_reason:
            self._finished.add(index)
            if index == 0:
                reason = response_parsing.finish_reason(choice.finish_reason)
                self.finish_reason = reason or FinishReason.STOP


class BodyMonitor(relay_monitors.BodyMonitor):
    """Watches one completion that is not streamed, which is parsed only for its `deltas`."""

    _body = b""

    def deltas(self) -> list[Delta]:
        """The deltas of the completion."""
        return parse_completion(self._provider, self._body, self._secrets)

    def _read(self, body: bytes) -> None:
        completion = decode(self._provider, body)
        if completion.error:
            raise openai_errors.from_frame(self._provider, body, self._secrets)
        first = next((choice for choice in completion.choices or () if choice), None)
        if first is None or first.message is None:
            raise UpstreamMalformed(
                f"{self._provider} sent something that is not a chat completion.",
                provider=self._provider,
            )
        self._body = body
        told = response_parsing.usage(completion.usage)
        self.usage = told if told.total_tokens else None
        self.finish_reason = response_parsing.finish_reason(first.finish_reason or "stop")

    def _with_usage(self, body: bytes, usage: Usage) -> bytes:
        fields = {"usage": replaced(usage_fields(usage)), "metadata": marked(usage.estimate)}
        return relayed_bodies.told(body, fields)

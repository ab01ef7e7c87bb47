"""Converts the events of a stream, or a message that was not streamed, into deltas.

What is not known is ignored and counted; what is not of this API raises UpstreamMalformed. Deltas
contain neither NUL nor surrogates.
"""

from collections.abc import Callable
from typing import TypeVar

import msgspec

from cartrita.dialects.anthropic_messages import errors, response_parsing
from cartrita.dialects.anthropic_messages.blocks import (
    Counters,
    OpenBlock,
    open_block,
    whole_block,
)
from cartrita.dialects.anthropic_messages.response_types import (
    BlockDelta,
    Event,
    MessageBody,
    StopDetails,
    UsageCounts,
)
from cartrita.domain.deltas import Delta, Finished, FinishReason, RefusalDelta
from cartrita.domain.errors import UpstreamCut, UpstreamMalformed
from cartrita.domain.json import JsonValue
from cartrita.domain.usage import Usage
from cartrita.kit.secret import Secret
from cartrita.kit.text import storable_text

_Decoded = TypeVar("_Decoded")


def parse_completion(provider: str, body: bytes, secrets: tuple[Secret, ...] = ()) -> list[Delta]:
    """The deltas of a message that was not streamed; raises as `StreamParser` does."""
    message = _decode(provider, body, response_parsing.decode_message)
    if message.error or message.type == "error":
        raise errors.from_frame(provider, body, secrets)
    if message.content is None or message.stop_reason is None:
        raise _malformed(provider, "it has no content or no stop reason")
    counters = Counters()
    deltas = [delta for block in message.content for delta in whole_block(block, counters)]
    end = _End()
    end.read_message(message)
    end.read(message.stop_reason, message.stop_sequence, message.stop_details)
    return [*deltas, *end.deltas(counters)]


class StreamParser:
    """Parses one stream: `feed` it each frame, and call `end` after the last, whatever it was.

    The answer is complete after `message_stop`, which is `done`. `ignored` counts unknown parts.
    """

    line_bytes = 0

    def __init__(self, provider: str, secrets: tuple[Secret, ...] = ()) -> None:
        self._provider = provider
        self._secrets = secrets
        self._counters = Counters()
        self._open: dict[int, OpenBlock] = {}
        self._end = _End()
        self.done = False
        self.ignored = 0

    @property
    def complete(self) -> bool:
        """Whether the end of the message has arrived."""
        return self.done

    @property
    def model(self) -> str | None:
        """What the answer calls the model, once that is known."""
        return self._end.model

    @property
    def counted(self) -> Usage | None:
        """All of the input and the first of the output, once the message has begun."""
        return self._end.counted

    def feed(self, data: str | bytes, event: str = "message") -> list[Delta]:
        """The deltas of one frame. Raises UpstreamMalformed, or the error that the frame holds."""
        if not data or self.done:
            self.ignored += 1
            return []
        if event == "error":
            raise errors.from_frame(self._provider, data, self._secrets)
        parsed = _decode(self._provider, data, response_parsing.decode_event)
        if parsed.error or parsed.type == "error":
            raise errors.from_frame(self._provider, data, self._secrets)
        parse = _EVENTS.get(parsed.type or "")
        if parse is None:
            self.ignored += 1
            return []
        return parse(self, parsed)

    def end(self) -> list[Delta]:
        """The last deltas, `Finished` at the end. Raises UpstreamCut if it is not complete."""
        if not self.done:
            raise UpstreamCut(
                f"{self._provider} ended its answer in the middle.", provider=self._provider
            )
        return [*self._stop_all(), *self._end.deltas(self._counters)]

    def start_message(self, event: Event) -> list[Delta]:
        """`message_start`: the model, and the usage so far."""
        if event.message is not None:
            self._end.read_message(event.message)
        return []

    def start_block(self, event: Event) -> list[Delta]:
        """`content_block_start`: a block with an index that is still open ends that one."""
        if event.content_block is None or event.index is None:
            return self.ignore(event)
        deltas = self.stop_block(event) if event.index in self._open else []
        block = open_block(event.content_block, self._counters)
        self._open[event.index] = block
        return [*deltas, *block.start()]

    def feed_block(self, event: Event) -> list[Delta]:
        """`content_block_delta`: a piece of an open block."""
        block = None if event.index is None else self._open.get(event.index)
        deltas = None if block is None or event.delta is None else block.feed(event.delta)
        return self.ignore(event) if deltas is None else deltas

    def stop_block(self, event: Event) -> list[Delta]:
        """`content_block_stop`: the end of a block."""
        block = None if event.index is None else self._open.pop(event.index, None)
        return self.ignore(event) if block is None else block.stop()

    def end_message(self, event: Event) -> list[Delta]:
        """`message_delta`: the stop reason, and the whole usage."""
        delta = event.delta or BlockDelta()
        self._end.read_usage(event.usage)
        reason = delta.stop_reason
        if reason and not self._end.read(reason, delta.stop_sequence, delta.stop_details):
            self.ignored += 1
        return []

    def stop_message(self, _event: Event) -> list[Delta]:
        """`message_stop`: the end."""
        self.done = True
        return []

    def ping(self, _event: Event) -> list[Delta]:
        """`ping`: nothing."""
        return []

    def ignore(self, _event: Event) -> list[Delta]:
        """An event that does not fit."""
        self.ignored += 1
        return []

    def _stop_all(self) -> list[Delta]:
        """The ends of blocks that the server did not end."""
        blocks = [self._open.pop(index) for index in sorted(self._open)]
        return [delta for block in blocks for delta in block.stop()]


class _End:
    """What is known of the end of an answer."""

    def __init__(self) -> None:
        self.model: str | None = None
        self._counts = UsageCounts()
        self._reason = FinishReason.STOP
        self._ended = True
        self._vendor_reason: str | None = None
        self._stop_sequence: str | None = None
        self._explanation: str | None = None

    @property
    def counted(self) -> Usage | None:
        counted = response_parsing.usage(self._counts)
        return counted if counted.total_tokens else None

    def read_message(self, message: MessageBody) -> None:
        if message.model:
            self.model = storable_text(message.model)
        self.read_usage(message.usage)

    def read_usage(self, told: JsonValue) -> None:
        if (counts := response_parsing.counts_of(told)) is not None:
            self._counts = response_parsing.merge(self._counts, counts)

    def read(
        self, stop_reason: str, stop_sequence: str | None, details: StopDetails | None
    ) -> bool:
        """Note the stop reason; false if it is not known."""
        known = response_parsing.finish_reason(stop_reason)
        self._reason = known or FinishReason.STOP
        self._ended = stop_reason == "end_turn"
        self._vendor_reason = response_parsing.vendor_reason(stop_reason)
        self._stop_sequence = storable_text(stop_sequence) if stop_sequence is not None else None
        self._explanation = None if details is None else details.explanation
        return known is not None

    def deltas(self, counted: Counters) -> list[Delta]:
        """The last deltas: the words for a refusal, which are no block, and the end.

        Where nothing else was said, these words are the answer, and they are complete.
        """
        finished = self._finished(counted.tool_calls)
        if finished.reason is not FinishReason.CONTENT_FILTER or not self._explanation:
            return [finished]
        if not (counted.said or counted.tool_calls):
            finished = msgspec.structs.replace(finished, reason=FinishReason.STOP)
        return [RefusalDelta(storable_text(self._explanation)), finished]

    def _finished(self, calls: int) -> Finished:
        reason = self._reason
        if calls and reason is FinishReason.STOP and self._ended:  # some say so after a call
            reason = FinishReason.TOOL_CALL
        return Finished(
            reason,
            response_parsing.usage(self._counts),
            self.model,
            self._stop_sequence,
            self._vendor_reason,
        )


def _decode(
    provider: str, data: str | bytes, decode: Callable[[str | bytes], _Decoded]
) -> _Decoded:
    try:
        return decode(data)
    except ValueError as problem:
        raise _malformed(provider, str(problem)) from None


def _malformed(provider: str, problem: str) -> UpstreamMalformed:
    return UpstreamMalformed(
        f"{provider} sent something that is not an answer of the Messages API.",
        provider=provider,
        details={"problem": problem[:200]},
    )


_EVENTS: dict[str, Callable[[StreamParser, Event], list[Delta]]] = {
    "message_start": StreamParser.start_message,
    "content_block_start": StreamParser.start_block,
    "content_block_delta": StreamParser.feed_block,
    "content_block_stop": StreamParser.stop_block,
    "message_delta": StreamParser.end_message,
    "message_stop": StreamParser.stop_message,
    "ping": StreamParser.ping,
}

"""Converts the events of a stream, or a response that was not streamed, into deltas.

What is not known is ignored and counted; what is no response raises UpstreamMalformed. Deltas
contain neither NUL nor surrogates: a pair that was split over two events is joined.
"""

from collections.abc import Iterator
from typing import Final, cast

from cartrita.dialects import openai_errors
from cartrita.dialects.openai_responses import response_parsing
from cartrita.dialects.openai_responses import response_types as wire
from cartrita.dialects.openai_responses.output_parsing import Output
from cartrita.domain.deltas import Delta, Finished, FinishReason
from cartrita.domain.errors import UpstreamCut, UpstreamMalformed
from cartrita.domain.json import JsonObject
from cartrita.kit import sse
from cartrita.kit.secret import Secret
from cartrita.kit.text import storable_text

TERMINAL: Final = ("response.completed", "response.incomplete", "response.failed")
_BEGINNING: Final = ("response.created", "response.in_progress", "response.queued")


def parse_completion(provider: str, body: bytes, secrets: tuple[Secret, ...] = ()) -> list[Delta]:
    """The deltas of a response that was not streamed; raises as `StreamParser` does."""
    parser = StreamParser(provider, secrets)
    return parser.whole(body) + parser.end()


class StreamParser:
    """Parses one stream: `feed` it each frame, and call `end` after the last, whatever it was.

    The answer is complete after the event with the whole response. `ignored` counts unknown events.
    """

    line_bytes = sse.MAX_EVENT  # the last event repeats the whole answer
    counted = None

    def __init__(self, provider: str, secrets: tuple[Secret, ...] = ()) -> None:
        self._provider = provider
        self._secrets = secrets
        self._output = Output()
        self.model: str | None = None
        self._response: wire.Response | None = None
        self.done = False
        self.ignored = 0

    @property
    def complete(self) -> bool:
        """Whether the whole response has arrived."""
        return self._response is not None

    def feed(self, data: str | bytes, event: str = "message") -> list[Delta]:
        """The deltas of one frame. Raises UpstreamMalformed, or the error that the frame holds."""
        if data == "[DONE]":
            self.done = True
            return []
        if not data:
            self.ignored += 1
            return []
        if event == "error":
            raise openai_errors.from_frame(self._provider, data, self._secrets)
        try:
            parsed = response_parsing.decode_event(data)
            if parsed.type == "error" or parsed.error:
                raise openai_errors.from_frame(self._provider, data, self._secrets)
            return list(self._parse(parsed))
        except ValueError as problem:
            raise self._malformed(problem) from None

    def whole(self, body: bytes) -> list[Delta]:
        """The deltas of a whole response. Raises as `feed` does."""
        try:
            response = response_parsing.decode_response(body)
            if response.error or response.status == "failed":
                raise openai_errors.from_failure(self._provider, response.error, self._secrets)
            if response.output is None:
                raise ValueError("it has no output")
            return list(self._finish(response))
        except ValueError as problem:
            raise self._malformed(problem) from None

    def end(self) -> list[Delta]:
        """The last deltas, `Finished` at the end. Raises UpstreamCut if it is not complete."""
        response = self._response
        if response is None:
            raise UpstreamCut(
                f"{self._provider} ended its answer in the middle.", provider=self._provider
            )
        reason = response_parsing.finish_reason(response)
        if reason is FinishReason.STOP and self._output.calls:
            reason = FinishReason.TOOL_CALL
        usage = response_parsing.usage(response)
        vendor_reason = response_parsing.incomplete_reason(response)
        finished = Finished(reason, usage, self.model, vendor_reason=vendor_reason)
        return [*self._output.end(), finished]

    def _parse(self, event: wire.Event) -> Iterator[Delta]:
        output, index = self._output, event.output_index or 0
        match event.type:
            case "response.output_item.added":
                yield from output.added(index, event.item)
            case "response.output_item.done":
                yield from output.item(index, event.item)
            case "response.function_call_arguments.delta":
                yield from output.arguments(index, _text(event.delta))
            case "response.function_call_arguments.done":
                yield from output.arguments_done(index, event.arguments)
            case _:
                yield from self._parse_content(event, index, event.content_index or 0)

    def _parse_content(self, event: wire.Event, index: int, part: int) -> Iterator[Delta]:
        output = self._output
        match event.type:
            case "response.output_text.delta":
                yield from output.text(index, part, _text(event.delta), event.logprobs)
            case "response.output_text.done":
                yield from output.text_done(index, part, event.text or "")
            case "response.output_text.annotation.added" if isinstance(event.annotation, dict):
                yield from output.annotation(index, part, event.annotation)
            case "response.refusal.delta":
                yield from output.refusal(index, part, _text(event.delta))
            case "response.refusal.done":
                yield from output.refusal_done(index, part, event.refusal or "")
            case _:
                yield from self._parse_reasoning(event, index)

    def _parse_reasoning(self, event: wire.Event, index: int) -> Iterator[Delta]:
        output = self._output
        match event.type:
            case "response.reasoning_summary_text.delta":
                part = event.summary_index or 0
                yield from output.reasoning(index, "summary", part, _text(event.delta))
            case "response.reasoning_summary_text.done":
                part = event.summary_index or 0
                yield from output.reasoning_done(index, "summary", part, event.text or "")
            case "response.reasoning_text.delta":
                part = event.content_index or 0
                yield from output.reasoning(index, "content", part, _text(event.delta))
            case "response.reasoning_text.done":
                part = event.content_index or 0
                yield from output.reasoning_done(index, "content", part, event.text or "")
            case _:
                yield from self._parse_state(event)

    def _parse_state(self, event: wire.Event) -> Iterator[Delta]:
        """The events about the response itself, and those that bring nothing that is read."""
        if event.type in _BEGINNING:
            response = response_parsing.as_response(event.response or {})
            self.model = self.model or storable_text(response.model or "") or None
        elif event.type == "response.failed":
            response = cast("JsonObject", event.response or {})
            raise openai_errors.from_failure(self._provider, response.get("error"), self._secrets)
        elif event.type in TERMINAL:
            yield from self._finish(response_parsing.as_response(event.response or {}))
        elif not event.type.startswith("response.content_part."):
            self.ignored += 1

    def _finish(self, response: wire.Response) -> Iterator[Delta]:
        for index, item in enumerate(response.output or ()):
            yield from self._output.item(index, item)
        self.model = storable_text(response.model or "") or self.model
        if response.status in (None, "completed", "incomplete"):
            self._response = response
            self.done = True

    def _malformed(self, problem: ValueError) -> UpstreamMalformed:
        return UpstreamMalformed(
            f"{self._provider} sent something that is not a response.",
            provider=self._provider,
            details={"problem": str(problem)[:200]},
        )


def _text(delta: object) -> str:
    """A piece of text; some servers send an object of arguments whole."""
    return delta if isinstance(delta, str) else ""

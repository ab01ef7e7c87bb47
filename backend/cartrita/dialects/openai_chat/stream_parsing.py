"""Converts the chunks of a stream, or a completion that was not streamed, into deltas.

What is not known is ignored and counted; what is not a chat completion raises UpstreamMalformed.
Deltas contain neither NUL nor surrogates: a pair that was split over two chunks is joined.
"""

from collections.abc import Iterator

from cartrita.dialects.openai_chat import errors, response_parsing
from cartrita.dialects.openai_chat import response_types as wire
from cartrita.dialects.openai_chat.tool_calls import ToolCallStream
from cartrita.domain.deltas import (
    CitationDelta,
    Delta,
    Finished,
    FinishReason,
    ReasoningDelta,
    TextDelta,
)
from cartrita.domain.errors import UpstreamCut, UpstreamMalformed
from cartrita.domain.messages import Citation
from cartrita.domain.usage import Usage
from cartrita.kit.secret import Secret
from cartrita.kit.text import StorableTextStream, storable_text


def parse_completion(provider: str, body: bytes, secrets: tuple[Secret, ...] = ()) -> list[Delta]:
    """The deltas of a completion that was not streamed; raises as `StreamParser` does."""
    parser = StreamParser(provider, secrets)
    return parser.feed(body) + parser.end()


class StreamParser:
    """Parses one stream: `feed` it each frame, and call `end` after the last, whatever it was.

    The answer is complete after its finish reason: no text follows it. The usage and `[DONE]` do
    follow, but a stream that ends before them was not cut. `ignored` counts unknown parts.
    """

    def __init__(self, provider: str, secrets: tuple[Secret, ...] = ()) -> None:
        self._provider = provider
        self._secrets = secrets
        self._text = StorableTextStream()
        self._reasoning = StorableTextStream()
        self._tool_calls = ToolCallStream()
        self._citations = 0
        self._usage = Usage()
        self._model: str | None = None
        self._finish_reason: FinishReason | None = None
        self.done = False
        self.ignored = 0

    @property
    def complete(self) -> bool:
        """Whether the finish reason has arrived."""
        return self._finish_reason is not None

    def feed(self, data: str | bytes, event: str = "message") -> list[Delta]:
        """The deltas of one frame. Raises UpstreamMalformed, or the error that the frame holds."""
        if data == "[DONE]":
            self.done = True
            return []
        if not data:
            self.ignored += 1
            return []
        if event == "error":
            raise errors.from_frame(self._provider, data, self._secrets)
        try:
            chunk = response_parsing.decode_completion(data)
        except ValueError as problem:
            raise UpstreamMalformed(
                f"{self._provider} sent something that is not a chat completion.",
                provider=self._provider,
                details={"problem": str(problem)[:200]},
            ) from None
        if chunk.error:
            raise errors.from_frame(self._provider, data, self._secrets)
        return list(self._parse_chunk(chunk))

    def end(self) -> list[Delta]:
        """The last deltas, `Finished` at the end. Raises UpstreamCut if it is not complete.

        The usage is empty if the stream had none.
        """
        if self._finish_reason is None:
            raise UpstreamCut(
                f"{self._provider} ended its answer in the middle.", provider=self._provider
            )
        deltas: list[Delta] = []
        if reasoning := self._reasoning.end():
            deltas.append(ReasoningDelta(reasoning))
        if text := self._text.end():
            deltas.append(TextDelta(text))
        deltas.extend(self._tool_calls.end())
        reason = self._finish_reason
        if self._tool_calls and reason is FinishReason.STOP:  # some servers say stop after a call
            reason = FinishReason.TOOL_CALL
        deltas.append(Finished(reason, self._usage, self._model))
        return deltas

    def _parse_chunk(self, chunk: wire.Completion) -> Iterator[Delta]:
        if chunk.model and self._model is None:
            self._model = storable_text(chunk.model)
        if chunk.usage is not None:
            self._usage = response_parsing.usage(chunk.usage)
        elif not chunk.choices:
            self.ignored += 1
        for choice in chunk.choices or ():
            if choice is None or choice.index:  # only one answer was requested
                self.ignored += 1
                continue
            message = choice.delta or choice.message
            if message is not None:
                yield from self._parse_message(message)
            if choice.finish_reason:
                self._set_finish_reason(choice.finish_reason)

    def _parse_message(self, message: wire.MessageDelta) -> Iterator[Delta]:
        if reasoning := self._reasoning.feed(message.reasoning_content or message.reasoning or ""):
            yield ReasoningDelta(reasoning)
        content = message.content or message.refusal or ""
        if isinstance(content, list):
            content = "".join(part.text or "" for part in content)
        if text := self._text.feed(content):
            yield TextDelta(text)
        if message.tool_calls:
            yield from self._tool_calls.feed(message.tool_calls)
        for annotation in message.annotations or ():
            yield from self._parse_citation(annotation)

    def _parse_citation(self, annotation: wire.Annotation) -> Iterator[Delta]:
        source = annotation.url_citation
        if source is None or not source.url:
            self.ignored += 1
            return
        self._citations += 1
        url = storable_text(source.url)
        title = storable_text(source.title or "") or url
        yield CitationDelta(Citation(title, url, index=self._citations))

    def _set_finish_reason(self, value: str) -> None:
        reason = response_parsing.finish_reason(value)
        if reason is None:
            self.ignored += 1
        self._finish_reason = reason or FinishReason.STOP

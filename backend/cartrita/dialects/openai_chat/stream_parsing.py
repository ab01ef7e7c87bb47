"""Converts the chunks of a stream, or a completion that was not streamed, into deltas.

What is not known is ignored and counted; what is not a chat completion raises UpstreamMalformed.
Deltas contain neither NUL nor surrogates: a pair that was split over two chunks is joined.
"""

from collections.abc import Iterator
from typing import cast

from cartrita.dialects import openai_errors
from cartrita.dialects.openai_chat import reasoning_details, response_parsing
from cartrita.dialects.openai_chat import response_types as wire
from cartrita.dialects.openai_chat.tool_calls import CustomCallStream, ToolCallStream
from cartrita.domain.deltas import (
    CitationDelta,
    Delta,
    Finished,
    FinishReason,
    ReasoningDelta,
    RefusalDelta,
    TextDelta,
)
from cartrita.domain.errors import UpstreamCut, UpstreamMalformed
from cartrita.domain.json import JsonObject
from cartrita.domain.messages import Citation
from cartrita.domain.usage import Usage
from cartrita.kit.secret import Secret
from cartrita.kit.text import StorableTextStream, storable_json, storable_text


def parse_completion(provider: str, body: bytes, secrets: tuple[Secret, ...] = ()) -> list[Delta]:
    """The deltas of a completion that was not streamed; raises as `StreamParser` does."""
    parser = StreamParser(provider, secrets)
    return parser.feed(body) + parser.end()


def decode(provider: str, data: str | bytes) -> wire.Completion:
    """A chunk, or a whole completion. Raises UpstreamMalformed for anything else."""
    try:
        return response_parsing.decode_completion(data)
    except ValueError as problem:
        raise UpstreamMalformed(
            f"{provider} sent something that is not a chat completion.",
            provider=provider,
            details={"problem": str(problem)[:200]},
        ) from None


class StreamParser:
    """Parses one stream: `feed` it each frame, and call `end` after the last, whatever it was.

    The answer is complete after its finish reason: no text follows it. The usage and `[DONE]` do
    follow, but a stream that ends before them was not cut. `ignored` counts unknown parts.
    """

    line_bytes = 0
    counted = None

    def __init__(self, provider: str, secrets: tuple[Secret, ...] = ()) -> None:
        self._provider = provider
        self._secrets = secrets
        self._text = StorableTextStream()
        self._reasoning = StorableTextStream()
        self._refusal = StorableTextStream()
        self._reasons_plainly = False
        self._logprobs: tuple[JsonObject, ...] = ()
        self._tool_calls = ToolCallStream()
        self._custom_calls = CustomCallStream()
        self._citations = 0
        self._usage = Usage()
        self.model: str | None = None
        self._finish_reason: FinishReason | None = None
        self._vendor_reason: str | None = None
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
            raise openai_errors.from_frame(self._provider, data, self._secrets)
        try:
            chunk = decode(self._provider, data)
        except UpstreamMalformed:
            if not self.complete:
                raise
            self.ignored += 1  # it would have told the usage
            return []
        if chunk.error:
            raise openai_errors.from_frame(self._provider, data, self._secrets)
        return self._parse_chunk(chunk)

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
            deltas.append(TextDelta(text, self._logprobs))
        if refusal := self._refusal.end():
            deltas.append(RefusalDelta(refusal))
        deltas.extend(self._tool_calls.end())
        deltas.extend(self._custom_calls.end())
        reason = self._finish_reason
        if (self._tool_calls or self._custom_calls) and reason is FinishReason.STOP:
            reason = FinishReason.TOOL_CALL  # some servers say stop after a call
        deltas.append(Finished(reason, self._usage, self.model, vendor_reason=self._vendor_reason))
        return deltas

    def _parse_chunk(self, chunk: wire.Completion) -> list[Delta]:
        deltas: list[Delta] = []
        if chunk.model and self.model is None:
            self.model = storable_text(chunk.model)
        if (told := response_parsing.usage(chunk.usage)).total_tokens:
            self._usage = told
        elif chunk.usage is None and not chunk.choices:
            self.ignored += 1
        for choice in chunk.choices or ():
            if choice is None or choice.index:  # only one answer was requested
                self.ignored += 1
                continue
            self._parse_choice(choice, deltas)
        return deltas

    def _parse_choice(self, choice: wire.Choice, deltas: list[Delta]) -> None:
        if choice.logprobs is not None and choice.logprobs.content:
            tokens = cast("list[JsonObject]", storable_json(choice.logprobs.content))
            self._logprobs += tuple(tokens)
        message = choice.delta or choice.message
        if message is not None:
            self._parse_message(message, deltas, whole=choice.delta is None)
        if choice.finish_reason:
            self._set_finish_reason(choice.finish_reason)

    def _parse_message(
        self, message: wire.MessageDelta, deltas: list[Delta], *, whole: bool
    ) -> None:
        if message.reasoning_content or message.reasoning or message.reasoning_details:
            deltas += self._parse_reasoning(message, whole=whole)
        content = message.content or ""
        if isinstance(content, list):
            content = "".join(part.text or "" for part in content)
        if text := self._text.feed(content):
            deltas.append(TextDelta(text, self._logprobs))
            self._logprobs = ()
        if message.refusal and (refusal := self._refusal.feed(message.refusal)):
            deltas.append(RefusalDelta(refusal))
        if message.tool_calls:
            deltas += self._parse_tool_calls(message.tool_calls)
        for annotation in message.annotations or ():
            deltas += self._parse_citation(annotation)

    def _parse_reasoning(self, message: wire.MessageDelta, *, whole: bool) -> Iterator[Delta]:
        """The reasoning, which most servers that send details repeat as plain text.

        The plain text tells better where it ends in a stream, the details in a whole message.
        """
        plain = message.reasoning_content or message.reasoning or ""
        details = message.reasoning_details or ()
        if whole and any(detail.text or detail.summary for detail in details):
            plain = ""
        elif plain:
            self._reasons_plainly = True
        if plain and (text := self._reasoning.feed(plain)):
            yield ReasoningDelta(text)
        for detail in details:
            yield from self._parse_detail(detail)

    def _parse_detail(self, detail: wire.ReasoningDetail) -> Iterator[Delta]:
        text = "" if self._reasons_plainly else detail.text or detail.summary or ""
        text = self._reasoning.feed(text)
        if detail.signature is None and detail.data is None:
            if text:
                yield ReasoningDelta(text)
            return
        yield ReasoningDelta(
            text + self._reasoning.end(),
            _storable(detail.signature),
            _storable(detail.data),
            reasoning_details.origin_of(_storable(detail.format)),
            _storable(detail.id),
        )

    def _parse_tool_calls(self, parts: list[wire.ToolCallDelta]) -> Iterator[Delta]:
        for part in parts:
            if part.custom is not None:
                self._custom_calls.feed(part, part.custom)
        yield from self._tool_calls.feed([part for part in parts if part.custom is None])

    def _parse_citation(self, annotation: wire.Annotation) -> Iterator[Delta]:
        source = annotation.url_citation
        if source is None or not (source.url or source.title):
            self.ignored += 1
            return
        self._citations += 1
        url = storable_text(source.url or "")
        yield CitationDelta(
            Citation(
                storable_text(source.title or "") or url,
                url or None,
                _storable(source.content),
                self._citations,
                source.start_index,
                source.end_index,
            )
        )

    def _set_finish_reason(self, value: str) -> None:
        reason = response_parsing.finish_reason(value)
        if reason is None:
            self.ignored += 1
            self._vendor_reason = storable_text(value)
        self._finish_reason = reason or FinishReason.STOP


def _storable(text: str | None) -> str | None:
    return None if text is None else storable_text(text)

"""Turns the chunks of a stream, or one whole answer, into deltas.

What it does not know is ignored and counted; what is not of this wire raises UpstreamMalformed. No
text leaves with a NUL or a surrogate: a pair that was split over two chunks is joined.
"""

from cartrita.dialects.openai_chat import errors, response
from cartrita.dialects.openai_chat.pieces import Calls, Pieces
from cartrita.dialects.openai_chat.types import Chunk, Spoken
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
from cartrita.kit.text import storable_text


def whole(provider: str, body: bytes, secrets: tuple[Secret, ...] = ()) -> list[Delta]:
    """The deltas of an answer that was not streamed; raises as `StreamParser` does."""
    parser = StreamParser(provider, secrets)
    return parser.feed(body) + parser.end()


class StreamParser:
    """Reads one stream. `feed` it each frame, then call `end`, whatever ended it.

    The answer is whole once its finish reason was seen: nothing visible follows that. `[DONE]` and
    the usage come after it; a stream that breaks off between them is no cut.
    """

    def __init__(self, provider: str, secrets: tuple[Secret, ...] = ()) -> None:
        self._provider = provider
        self._secrets = secrets
        self._text = Pieces()
        self._reasoning = Pieces()
        self._calls = Calls()
        self._citations = 0
        self._usage = Usage()
        self._model: str | None = None
        self._reason: FinishReason | None = None
        self.done = False
        self.ignored = 0

    @property
    def whole(self) -> bool:
        """Whether everything visible has arrived."""
        return self._reason is not None

    def feed(self, data: str | bytes, event: str = "message") -> list[Delta]:
        """The deltas of one frame. Raises UpstreamMalformed, or what an error in it means."""
        if data == "[DONE]":
            self.done = True
            return []
        if not data:
            self.ignored += 1
            return []
        if event == "error":
            raise errors.from_frame(self._provider, data, self._secrets)
        try:
            chunk = response.chunk(data)
        except ValueError as problem:
            raise UpstreamMalformed(
                f"{self._provider} sent something that is not a chat completion.",
                provider=self._provider,
                details={"problem": str(problem)[:200]},
            ) from None
        if chunk.error:
            raise errors.from_frame(self._provider, data, self._secrets)
        return self._take(chunk)

    def end(self) -> list[Delta]:
        """The last deltas, `Finished` among them. Raises UpstreamCut where the answer is not whole.

        Its usage is empty where the stream brought none.
        """
        if self._reason is None:
            raise UpstreamCut(
                f"{self._provider} ended its answer in the middle.", provider=self._provider
            )
        deltas: list[Delta] = []
        if thought := self._reasoning.rest():
            deltas.append(ReasoningDelta(thought))
        if text := self._text.rest():
            deltas.append(TextDelta(text))
        deltas.extend(self._calls.rest())
        called = self._calls and self._reason is FinishReason.STOP  # some say stop after a call too
        reason = FinishReason.TOOL_CALL if called else self._reason
        deltas.append(Finished(reason, self._usage, self._model))
        return deltas

    def _take(self, chunk: Chunk) -> list[Delta]:
        if chunk.model and self._model is None:
            self._model = storable_text(chunk.model)
        if chunk.usage is not None:
            self._usage = response.usage(chunk.usage)
        elif not chunk.choices:
            self.ignored += 1
        deltas: list[Delta] = []
        for choice in chunk.choices or ():
            if choice is None or choice.index:  # we ask for one answer
                self.ignored += 1
                continue
            said = choice.delta or choice.message
            if said is not None:
                self._say(said, deltas)
            if choice.finish_reason:
                self._finish(choice.finish_reason)
        return deltas

    def _say(self, said: Spoken, deltas: list[Delta]) -> None:
        thought = said.reasoning_content or said.reasoning
        if thought and (piece := self._reasoning.add(thought)):
            deltas.append(ReasoningDelta(piece))
        text = said.content or said.refusal
        if isinstance(text, list):
            text = "".join(part.text or "" for part in text)
        if text and (piece := self._text.add(text)):
            deltas.append(TextDelta(piece))
        if said.tool_calls:
            deltas.extend(self._calls.add(said.tool_calls))
        if said.annotations:
            self._cite(said, deltas)

    def _cite(self, said: Spoken, deltas: list[Delta]) -> None:
        for annotation in said.annotations or ():
            source = annotation.url_citation
            if source is None or not source.url:
                self.ignored += 1
                continue
            self._citations += 1
            url = storable_text(source.url)
            title = storable_text(source.title or "") or url
            deltas.append(CitationDelta(Citation(title, url, index=self._citations)))

    def _finish(self, word: str) -> None:
        reason = response.finish_reason(word)
        if reason is None:
            self.ignored += 1
        self._reason = reason or FinishReason.STOP

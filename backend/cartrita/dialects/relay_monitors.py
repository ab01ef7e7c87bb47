"""Monitors of relayed answers, as far as they are alike in all dialects.

They implement the port `RelayMonitor` of the domain.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Final, Protocol

from cartrita.dialects import relayed_frames, relayed_names
from cartrita.dialects.relayed_frames import RelayedFrames
from cartrita.dialects.stream_parsers import StreamParser
from cartrita.domain.answer_parts import AnswerParts
from cartrita.domain.deltas import Delta, FinishReason, TextDelta
from cartrita.domain.errors import UpstreamCut, UpstreamError
from cartrita.domain.relays import Estimate, ModelNames
from cartrita.domain.usage import Usage
from cartrita.kit import sse
from cartrita.kit.long_work import LARGE
from cartrita.kit.secret import Secret

_ID: Final = re.compile(rb'"id"\s*:\s*"([\w.:-]{1,100})"')
_HEAD_BYTES: Final = 4096
"""Where an answer tells its id, if it does."""


class RenamesFrames(Protocol):
    """Puts the asked name of the model into whole frames that tell the one that was sent."""

    def feed(self, frames: bytes) -> bytes: ...


class StreamMonitor(ABC):
    """Watches one streamed answer, and reads no more of it than it must.

    `names` are those of the model, if the request had it rewritten; `renamed` puts the one that was
    asked for back. `keep_bytes` bounds what is kept to be parsed later.
    """

    def __init__(
        self,
        provider: str,
        secrets: tuple[Secret, ...] = (),
        names: ModelNames | None = None,
        *,
        renamed: RenamesFrames | None = None,
        keep_bytes: int = 1 << 20,
    ) -> None:
        self._provider = provider
        self._secrets = secrets
        self._names = names
        self._renamed = renamed
        self._frames = RelayedFrames(provider, keep_bytes)
        self._estimate: Estimate | None = None
        self.visible = False
        self.complete = False
        self.usage: Usage | None = None
        self.finish_reason: FinishReason | None = None

    @property
    def message_id(self) -> str | None:
        """See `RelayMonitor`."""
        return id_in(self._frames.first)

    @property
    @abstractmethod
    def parts(self) -> Mapping[str, int]:
        """See `RelayMonitor`."""

    @property
    def overlong(self) -> bool:
        """Whether more was passed on than is kept."""
        return self._frames.overlong

    @property
    def ignored(self) -> int:
        """How many frames were nothing that a client can read, and are left out."""
        return self._frames.ignored

    @property
    def misplaced(self) -> int:
        """See `RelayMonitor`; none in a dialect whose events have no order."""
        return 0

    def prepare(self, line_limit: int, estimate: Estimate) -> None:
        """Told before anything is fed: the longest line in bytes, and what estimates the usage.

        An answer whose provider reports no usage is passed on with the estimate, marked as one.
        """
        self._frames.max_line = line_limit
        self._estimate = estimate

    def feed(self, piece: bytes) -> bytes:
        """The whole frames to pass on; half ones are held back.

        Raises the error that a frame holds, once those before it were passed on.
        """
        if (told := self._frames.known(piece)) is not None:
            return told
        frames = self._frames.whole(piece)
        plain = self._needs_no_look(frames)
        if not plain:
            frames = self._frames.read(frames, self._look, self._needs_no_look)
        if not frames:
            return b""
        self._frames.keep(frames)
        told = frames if self._renamed is None else self._renamed.feed(frames)
        if plain:
            self._frames.learn(frames, told)
        return told

    def deltas(self) -> list[Delta]:
        """The deltas of what was passed on. Raises UpstreamError if that was too long to keep."""
        parser = self._new_parser()
        deltas = self._parsed(parser)
        return deltas + parser.end() if parser.complete else deltas

    def written(self) -> list[Delta]:
        """See `RelayMonitor`.

        Where the beginning says nothing or is not of its dialect, its bytes are taken as text.
        """
        if not self.overlong:
            try:
                return self.deltas()
            except UpstreamError:
                return []
        octets, times = self._frames.excerpt()
        parser, deltas = self._new_parser(), list[Delta]()
        try:
            for frame in relayed_frames.parse(octets):
                deltas += parser.feed(frame.data, frame.event)
        except UpstreamError:
            deltas.clear()
        return (deltas or [TextDelta(octets.decode("utf-8", "replace"))]) * times

    def end(self) -> bytes:
        """Told at the end of the body.

        Raises UpstreamCut unless the answer is complete, and the error that a frame held.
        """
        self._frames.end()
        if not self.complete:
            raise UpstreamCut(
                f"{self._provider} ended its answer in the middle.", provider=self._provider
            )
        return b""

    @abstractmethod
    def _is_plain(self, frames: bytes) -> bool:
        """Whether there is nothing to read in frames that follow something visible.

        It is worth to look into all of which this is not certain.
        """

    @abstractmethod
    def _look(self, octets: bytes, frame: sse.Frame) -> bytes | None:
        """What is passed on of a frame, of which this learns: a `Look` of `RelayedFrames`."""

    @abstractmethod
    def _new_parser(self) -> StreamParser:
        """The dialect's parser of a stream."""

    def _needs_no_look(self, frames: bytes) -> bool:
        return self.visible and self._is_plain(frames)

    def _parsed(self, parser: StreamParser) -> list[Delta]:
        """What was passed on, parsed. Raises UpstreamError if that was too long to keep."""
        frames = self._frames.passed_on()
        return [delta for frame in frames for delta in parser.feed(frame.data, frame.event)]


class BodyMonitor(ABC):
    """Watches one answer that is not streamed: it is fed the whole body once.

    `names` are those of the model, if the request had it rewritten.
    """

    overlong = False
    ignored = 0
    misplaced = 0

    def __init__(
        self,
        provider: str,
        secrets: tuple[Secret, ...] = (),
        names: ModelNames | None = None,
    ) -> None:
        self._provider = provider
        self._secrets = secrets
        self._names = names
        self._estimate: Estimate | None = None
        self._size = 0
        self.message_id: str | None = None
        self.visible = False
        self.complete = False
        self.usage: Usage | None = None
        self.finish_reason: FinishReason | None = None

    @property
    def parts(self) -> Mapping[str, int]:
        """See `RelayMonitor`; none of a body that it takes long to read."""
        if not self.complete or self._size >= LARGE:
            return {}
        try:
            return AnswerParts.of(self.deltas()).counts
        except UpstreamError:
            return {}

    def prepare(self, line_limit: int, estimate: Estimate) -> None:
        """As in `StreamMonitor`; a body has no lines."""
        self._estimate = estimate

    def feed(self, piece: bytes) -> bytes:
        """The body to pass on. Raises UpstreamMalformed, or the error that it holds."""
        self._read(piece)
        self._size = len(piece)
        self.message_id = id_in(piece)
        self.visible = self.complete = True
        told = relayed_names.in_body(piece, self._names)
        reported = self.usage is not None and self.usage.total_tokens
        if reported or self._estimate is None or not (deltas := self.deltas()):
            return told
        self.usage = self._estimate(None, deltas)
        return self._with_usage(told, self.usage)

    def deltas(self) -> list[Delta]:
        """The deltas of the body; none of one that has no words that a model could continue."""
        return []

    def written(self) -> list[Delta]:
        """See `RelayMonitor`; none of a body that has not come."""
        return self.deltas() if self.complete else []

    def end(self) -> bytes:
        """Told at the end of the body. Raises UpstreamCut if there was none."""
        if not self.complete:
            raise UpstreamCut(f"{self._provider} sent no answer.", provider=self._provider)
        return b""

    def _with_usage(self, body: bytes, usage: Usage) -> bytes:
        """The body with the usage, which is an estimate, in the fields of its dialect."""
        return body

    @abstractmethod
    def _read(self, body: bytes) -> None:
        """Take usage and finish reason from the body. Raises as `feed` does."""


def id_in(octets: bytes) -> str | None:
    """The first id in the beginning of an answer: that of the answer, in all dialects."""
    found = _ID.search(octets[:_HEAD_BYTES])
    return None if found is None else found[1].decode()

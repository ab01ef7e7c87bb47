"""Monitors of relayed answers, as far as they are alike in all dialects.

They implement `RelayMonitor` of the gateway.
"""

from abc import ABC, abstractmethod
from typing import Protocol

from cartrita.dialects import relayed_names
from cartrita.dialects.relayed_frames import RelayedFrames
from cartrita.domain.deltas import Delta, FinishReason
from cartrita.domain.errors import UpstreamCut
from cartrita.domain.relays import ModelNames
from cartrita.domain.usage import Usage
from cartrita.kit.secret import Secret


class StreamParser(Protocol):
    """A dialect's parser of a stream."""

    def feed(self, data: str | bytes, event: str = "message") -> list[Delta]: ...


class StreamMonitor(ABC):
    """Watches one streamed answer, which each dialect's `feed` reads no more of than it must.

    `names` are those of the model, if the request had it rewritten. `keep_bytes` bounds what is
    kept to be parsed later.
    """

    def __init__(
        self,
        provider: str,
        secrets: tuple[Secret, ...] = (),
        names: ModelNames | None = None,
        *,
        keep_bytes: int = 1 << 20,
    ) -> None:
        self._provider = provider
        self._secrets = secrets
        self._names = names
        self._frames = RelayedFrames(provider, keep_bytes)
        self.visible = False
        self.complete = False
        self.usage: Usage | None = None
        self.finish_reason: FinishReason | None = None

    @property
    def overlong(self) -> bool:
        """Whether more was passed on than is kept."""
        return self._frames.overlong

    @property
    def ignored(self) -> int:
        """How many frames were nothing that a client can read, and are left out."""
        return self._frames.ignored

    @abstractmethod
    def feed(self, piece: bytes) -> bytes:
        """The whole frames to pass on; half ones are held back.

        Raises the error that a frame holds, once those before it were passed on.
        """

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

    def _parsed(self, parser: StreamParser) -> list[Delta]:
        """What was passed on, parsed. Raises UpstreamError if that was too long to keep."""
        frames = self._frames.passed_on()
        return [delta for frame in frames for delta in parser.feed(frame.data, frame.event)]


class BodyMonitor(ABC):
    """Watches one answer that is not streamed: it is fed the whole body once.

    `names` are those of the model, if the request had it rewritten.
    """

    overlong = False

    def __init__(
        self,
        provider: str,
        secrets: tuple[Secret, ...] = (),
        names: ModelNames | None = None,
    ) -> None:
        self._provider = provider
        self._secrets = secrets
        self._names = names
        self.visible = False
        self.complete = False
        self.usage: Usage | None = None
        self.finish_reason: FinishReason | None = None

    def feed(self, piece: bytes) -> bytes:
        """The body to pass on. Raises UpstreamMalformed, or the error that it holds."""
        self._read(piece)
        self.visible = self.complete = True
        return relayed_names.in_body(piece, self._names)

    def deltas(self) -> list[Delta]:
        """The deltas of the body; none of one that has no words that a model could continue."""
        return []

    def end(self) -> bytes:
        """Told at the end of the body. Raises UpstreamCut if there was none."""
        if not self.complete:
            raise UpstreamCut(f"{self._provider} sent no answer.", provider=self._provider)
        return b""

    @abstractmethod
    def _read(self, body: bytes) -> None:
        """Take usage and finish reason from the body. Raises as `feed` does."""

"""The tracer of this process: which traces are made, and who is told of them."""

import time
from collections.abc import Sequence
from typing import Final, Protocol
from uuid import UUID
from zlib import crc32

from cartrita.domain.traces import Fact

_ALL: Final = 1 << 32


class Tells(Protocol):
    """Tells one receiver: see `Pipeline`."""

    @property
    def dropped(self) -> int: ...

    def note(self, fact: Fact) -> None: ...

    def end(self) -> None: ...

    def join(self, seconds: float) -> None: ...


class Traces:
    """Implements Tracer, by a pipeline for each receiver.

    A `sample` of all traces is made, chosen by their ids.
    """

    def __init__(self, pipelines: Sequence[Tells], sample: float, *, keeps_contents: bool) -> None:
        self._pipelines = tuple(pipelines)
        self._below = int(sample * _ALL)
        self._keeps_contents = keeps_contents

    @property
    def keeps_contents(self) -> bool:
        """See Tracer."""
        return self._keeps_contents

    @property
    def dropped(self) -> int:
        """See Tracer."""
        return sum(pipeline.dropped for pipeline in self._pipelines)

    def samples(self, trace_id: UUID) -> bool:
        """See Tracer."""
        return crc32(trace_id.bytes) < self._below

    def note(self, fact: Fact) -> None:
        """See Tracer."""
        for pipeline in self._pipelines:
            pipeline.note(fact)

    def stop(self, seconds: float) -> None:
        """Send what was noted, for so long at most; blocks as long as that takes."""
        end = time.monotonic() + seconds
        for pipeline in self._pipelines:
            pipeline.end()
        for pipeline in self._pipelines:
            pipeline.join(max(0.0, end - time.monotonic()))

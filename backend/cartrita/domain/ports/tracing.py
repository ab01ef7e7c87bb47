"""Port of traces."""

from typing import Protocol
from uuid import UUID

from cartrita.domain.traces import Fact


class Tracer(Protocol):
    """Takes facts, of which traces are made elsewhere. Nothing here waits, and nothing raises."""

    @property
    def keeps_contents(self) -> bool:
        """Whether anything of what calls send and get is told."""
        ...

    @property
    def dropped(self) -> int:
        """How many facts and spans were lost so far."""
        ...

    def samples(self, trace_id: UUID) -> bool:
        """Whether the trace of this id is made: every process says the same."""
        ...

    def note(self, fact: Fact) -> None:
        """Take a fact of a trace that is made; one that finds no room is counted, and lost."""
        ...

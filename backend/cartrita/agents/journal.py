"""The journal of a run: where its agents write what they do."""

from collections.abc import Sequence
from typing import Protocol

from cartrita.domain.events import Event
from cartrita.domain.fold import Fold
from cartrita.domain.step_records import StepRecord


class Journal(Protocol):
    """Writes to the log of one run. `answer` is the fold of all that was written."""

    @property
    def answer(self) -> Fold: ...

    async def append(self, event: Event) -> None:
        """Write an event. Raises LeaseLost."""
        ...

    def record(self, events: Sequence[Event], steps: Sequence[StepRecord]) -> None:
        """Have events and records written in one transaction, without waiting. Raises LeaseLost."""
        ...

    async def stored(self) -> None:
        """Wait until all that was written is committed. Raises LeaseLost."""
        ...

    async def commit(self, events: Sequence[Event], steps: Sequence[StepRecord]) -> None:
        """Write events and records in one transaction, and return after it. Raises LeaseLost."""
        ...

"""Ports of metrics: what happens is counted for whoever runs the server.

No count waits or raises. Labels are names of ours and of the configuration (routes, codes,
providers), never texts that callers wrote.
"""

from typing import Protocol

from cartrita.domain.feedback import ScoreOutcome
from cartrita.domain.runs import RunStatus


class RequestCounts(Protocol):
    """Counts what surfaces are asked."""

    def answered(
        self, surface: str, method: str, route: str, status: int | None, seconds: float
    ) -> None:
        """A request was answered, a stream to its end; `route` is its template.

        Without a status its caller had left before anything was sent.
        """
        ...

    def refused(self, limit: str) -> None:
        """A request was one too many for a limit of this name."""
        ...

    def socket_opened(self, path: str) -> None:
        """A WebSocket was accepted."""
        ...

    def socket_closed(self, path: str, code: int) -> None:
        """One that was accepted has closed."""
        ...


class ProviderCounts(Protocol):
    """Counts how calls of providers go that are not in the usage ledger, or not in one entry."""

    def failed(self, provider: str, code: str) -> None:
        """An attempt failed, or an answer broke off; `code` is that of the kind of error."""
        ...

    def retried(self, provider: str) -> None:
        """The same deployment is tried again."""
        ...

    def failed_over(self, provider: str, *, continued: bool) -> None:
        """Another deployment answers in place of one here, or goes on with its answer."""
        ...

    def looked_up(self, *, hit: bool) -> None:
        """The answer to a call was looked for in the cache, and among those on their way."""
        ...

    def waited(self, provider: str, seconds: float, *, begun: bool) -> None:
        """A call has waited for its turn, which came, or its caller waits no longer."""
        ...


class RunCounts(Protocol):
    """Counts the runs that this process executes."""

    def run_claimed(self, surface: str) -> None:
        """One is executed from now on: it is new, was given back, or has waited for a person."""
        ...

    def run_left(self, surface: str, status: RunStatus, seconds: float) -> None:
        """One is executed here no longer: it has ended, waits, or is queued again."""
        ...


class LogCounts(Protocol):
    """Counts what is written to the run log."""

    def flushed(self, runs: int, events: int, seconds: float) -> None:
        """A group was committed, so long after it was taken."""
        ...

    def orphan_settled(self, status: RunStatus) -> None:
        """A run whose worker is gone was queued again, or ended in its place."""
        ...

    def flush_failed(self) -> None:
        """The database did not take a group, which is tried again."""
        ...


class ScoreCounts(Protocol):
    """Counts what became of feedback that was to be sent."""

    def scored(self, outcome: ScoreOutcome, number: int = 1) -> None:
        """So many scores need not be sent again."""
        ...


class MetricsPage(Protocol):
    """What is told of all that was counted, by every worker of this server."""

    @property
    def media_type(self) -> str: ...

    async def render(self) -> bytes:
        """The page, as Prometheus reads it."""
        ...

"""What counts for this worker: implements the ports of metrics over its catalogue."""

from typing import Final

from cartrita.adapters.metrics.catalogue import Catalogue
from cartrita.adapters.metrics.names import OTHER, BoundedNames, KnownModels
from cartrita.domain.feedback import ScoreOutcome
from cartrita.domain.ledger import LedgerEntry
from cartrita.domain.runs import RunStatus

_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_LEFT: Final = "left"
"""In place of the status where the caller went away before there was one."""
_NOTHING: Final = ()


class Counts:
    """Implements every port of `domain.ports.metrics` that counts."""

    def __init__(self, catalogue: Catalogue, *, models_max: int) -> None:
        self._all = catalogue
        self._providers = BoundedNames()
        self._agents = BoundedNames()
        self._limits = BoundedNames()
        self._surfaces = BoundedNames()
        self.models = KnownModels(models_max, catalogue.models_told)

    def answered(
        self, surface: str, method: str, route: str, status: int | None, seconds: float
    ) -> None:
        """See `RequestCounts`."""
        told = _LEFT if status is None else str(status)
        named = method if method in _METHODS else OTHER
        self._all.requests.add((surface, named, route, told))
        self._all.request_seconds.observe((surface, route), seconds)

    def refused(self, limit: str) -> None:
        """See `RequestCounts`."""
        self._all.refused.add((self._limits(limit),))

    def socket_opened(self, path: str) -> None:
        """See `RequestCounts`."""
        self._all.sockets_open.change((path,), 1)

    def socket_closed(self, path: str, code: int) -> None:
        """See `RequestCounts`."""
        self._all.sockets_open.change((path,), -1)
        self._all.sockets_closed.add((path, str(code)))

    def failed(self, provider: str, code: str) -> None:
        """See `ProviderCounts`."""
        self._all.errors.add((self._providers(provider), code))

    def retried(self, provider: str) -> None:
        """See `ProviderCounts`."""
        self._all.retries.add((self._providers(provider),))

    def failed_over(self, provider: str, *, continued: bool) -> None:
        """See `ProviderCounts`."""
        self._all.failovers.add((self._providers(provider), "yes" if continued else "no"))

    def looked_up(self, *, hit: bool) -> None:
        """See `ProviderCounts`."""
        self._all.cache.add(("hit" if hit else "miss",))

    def waited(self, provider: str, seconds: float, *, begun: bool) -> None:
        """See `ProviderCounts`."""
        result = "begun" if begun else "given_up"
        self._all.queue_seconds.observe((self._providers(provider), result), seconds)

    def run_claimed(self, surface: str) -> None:
        """See `RunCounts`."""
        self._all.runs_claimed.add((self._surfaces(surface),))
        self._all.runs_active.change(_NOTHING, 1)

    def run_left(self, surface: str, status: RunStatus, seconds: float) -> None:
        """See `RunCounts`."""
        self._all.runs_left.add((self._surfaces(surface), status.value))
        self._all.run_seconds.observe((status.value,), seconds)
        self._all.runs_active.change(_NOTHING, -1)

    def flushed(self, runs: int, events: int, seconds: float) -> None:
        """See `LogCounts`."""
        self._all.flush_seconds.observe(_NOTHING, seconds)
        self._all.flush_events.observe(_NOTHING, events)
        self._all.flush_runs.add(_NOTHING, runs)

    def orphan_settled(self, status: RunStatus) -> None:
        """See `LogCounts`."""
        self._all.runs_orphaned.add((status.value,))

    def flush_failed(self) -> None:
        """See `LogCounts`."""
        self._all.flush_failures.add(_NOTHING)

    def scored(self, outcome: ScoreOutcome, number: int = 1) -> None:
        """See `ScoreCounts`."""
        self._all.scores.add((outcome.value,), number)

    def called(self, entry: LedgerEntry) -> None:
        """A call of a provider has ended, as its entry of the ledger says."""
        provider = self._providers(entry.provider)
        surface = self._surfaces(entry.surface)
        call = (surface, provider, self.models(entry.provider, entry.model))
        outcome = entry.outcome.value
        counted = self._all
        counted.calls.add((*call, outcome))
        counted.call_seconds.observe((provider, outcome), entry.seconds)
        if entry.first_token_seconds is not None:
            counted.first_token_seconds.observe((surface, provider), entry.first_token_seconds)
        if entry.agent is not None:
            counted.agent_calls.add((self._agents(entry.agent), outcome))
        if entry.cost is None:
            counted.unpriced.add(call)
        elif entry.cost:
            counted.cost.add(call, float(entry.cost))
        self._used(entry, call)

    def _used(self, entry: LedgerEntry, call: tuple[str, str, str]) -> None:
        usage, add = entry.usage, self._all.tokens.add
        for kind, count in (
            ("input", usage.input_tokens),
            ("output", usage.output_tokens),
            ("cache_read", usage.cache_read_tokens),
            ("cache_write", usage.cache_write_tokens),
            ("reasoning", usage.reasoning_tokens),
        ):
            if count:
                add((*call, kind), count)
        if entry.audio_seconds:
            self._all.audio_seconds.add((call[1],), entry.audio_seconds)
        if entry.characters:
            self._all.characters.add((call[1],), entry.characters)

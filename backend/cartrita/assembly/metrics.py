"""The metrics of a worker: what counts in it, where anything does."""

from collections.abc import Sequence
from typing import TypeAlias

from cartrita.adapters.metrics.counts import Counts
from cartrita.adapters.metrics.metrics import Metrics
from cartrita.adapters.metrics.shared_files import SharedFiles
from cartrita.adapters.runlog.worker_slot import WorkerSlot
from cartrita.domain.ports.answer_cache import AnswerCache
from cartrita.domain.ports.ledger import UsageLedger
from cartrita.domain.uncounted import UNCOUNTED, Uncounted
from cartrita.gateway.gateway import Gateway
from cartrita.gateway.pricing import Pricing
from cartrita.gateway.service_metering import OPERATIONS
from cartrita.settings import Settings

AnyCounts: TypeAlias = Counts | Uncounted


def create_metrics(
    settings: Settings, slot: WorkerSlot, shared: Sequence[int] = ()
) -> Metrics | None:
    """The metrics of the worker in this slot, unless they are switched off.

    `shared` are the descriptors of the files, one for each worker, by which all tell theirs.
    """
    config = settings.metrics
    if not config.enabled:
        return None
    return Metrics(
        worker=slot.slot,
        models_max=config.models_max,
        shared=SharedFiles(shared) if shared else None,
    )


def counts_of(metrics: Metrics | None) -> AnyCounts:
    """What counts, or counts nothing."""
    return UNCOUNTED if metrics is None else metrics.counts


def counted_ledger(metrics: Metrics | None, ledger: UsageLedger) -> UsageLedger:
    """The ledger, counted where anything is."""
    return ledger if metrics is None else metrics.ledger(ledger)


def counted_cache(metrics: Metrics | None, cache: AnswerCache) -> AnswerCache:
    """The cache, counted where anything is."""
    return cache if metrics is None else metrics.cache(cache)


def tell_models(
    metrics: Metrics | None, settings: Settings, gateway: Gateway, pricing: Pricing
) -> None:
    """Let metrics tell the names of models that somebody else than a caller has written."""
    named = {
        deployment.model for route in settings.routes.entries for deployment in route.deployments
    }

    def knows(provider: str, model: str) -> bool:
        if model in OPERATIONS or f"{provider}/{model}" in named:
            return True
        price = pricing.price(provider, model)
        return (price is not None and price.model == model) or gateway.knows(provider, model)

    if metrics is not None:
        metrics.counts.models.knows = knows

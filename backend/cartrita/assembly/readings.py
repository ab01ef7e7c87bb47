"""What the metrics of a worker read of its parts."""

from collections import Counter
from collections.abc import Iterator
from importlib.metadata import version

from cartrita.adapters.metrics.catalogue import Catalogue
from cartrita.adapters.metrics.metrics import Metrics, Reading
from cartrita.adapters.runlog.worker_slot import WorkerSlot
from cartrita.application.conversations.scores import Scores
from cartrita.assembly.desktops import running_desktops
from cartrita.assembly.models import Models
from cartrita.assembly.storage import Storage
from cartrita.domain.ports.tracing import Tracer
from cartrita.settings import Settings
from cartrita.surfaces.services import Services


def watch_parts(
    metrics: Metrics,
    settings: Settings,
    slot: WorkerSlot,
    storage: Storage,
    models: Models,
    services: Services,
    tracer: Tracer | None,
    scores: Scores | None,
) -> None:
    """Have metrics read what these parts have and hold."""
    every, worker, release = metrics.all, str(slot.slot), version("cartrita")
    metrics.watch(lambda: [(every.workers, (release,), 1)])
    metrics.watch(lambda: _worker(every, worker, storage, services))
    metrics.watch(lambda: _storage(every, storage))
    metrics.watch(lambda: _calls(every, models))
    if tracer is not None:
        metrics.watch(lambda: [(every.spans_dropped, (), tracer.dropped)])
    if slot.slot == 0 and scores is not None:  # of the database, so that one tells it for all
        metrics.watch(lambda: [(every.scores_pending, (), scores.pending)])
    if slot.slot == 0 and settings.desktop.enabled:  # of the machine, so that one tells it for all
        metrics.watch(lambda: [(every.desktops, (), running_desktops(settings))])


def _worker(
    every: Catalogue, worker: str, storage: Storage, services: Services
) -> Iterator[Reading]:
    yield every.ready, (worker,), storage.run_log.ready
    yield every.streams_open, (), services.connections.open
    yield every.live_voice, (), services.live_voice.listening


def _storage(every: Catalogue, storage: Storage) -> Iterator[Reading]:
    yield every.ledger_pending, (), storage.ledger.pending
    yield every.ledger_lost, (), storage.ledger.lost
    pools = {"requests": storage.database.in_use, "run_log": storage.run_log.pool.in_use}
    for pool, use in pools.items():
        yield every.connections, (pool, "used"), use.used
        yield every.connections, (pool, "idle"), use.idle
        yield every.connections_max, (pool,), use.most


def _calls(every: Catalogue, models: Models) -> Iterator[Reading]:
    for provider, waiting in models.limiter.waiting().items():
        yield every.queue, (provider,), waiting
    unhealthy = Counter((one.provider, one.state) for one in models.gateway.health())
    for labels, number in unhealthy.items():
        yield every.unhealthy, labels, number

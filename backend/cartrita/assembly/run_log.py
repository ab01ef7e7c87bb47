"""The run log of one worker."""

from contextlib import AbstractAsyncContextManager

from cartrita.adapters.runlog.run_log import RunLog, RunLogSettings
from cartrita.adapters.runlog.worker_slot import WorkerSlot
from cartrita.application.runs.traced_runs import abandoned_runs
from cartrita.domain.ports.metrics import LogCounts
from cartrita.domain.ports.tracing import Tracer
from cartrita.settings import Settings


def open_run_log(
    settings: Settings, dsn: str, slot: WorkerSlot, counts: LogCounts, tracer: Tracer | None
) -> AbstractAsyncContextManager[RunLog]:
    """The run log, with a lease for this slot, and with connections of its own."""
    if tracer is None:
        return RunLog.open(dsn, slot, run_log_settings(settings), counts)
    return RunLog.open(dsn, slot, run_log_settings(settings), counts, abandoned_runs(tracer))


def run_log_settings(settings: Settings) -> RunLogSettings:
    """What the settings say of the run log."""
    config = settings.run_log
    return RunLogSettings(
        lease_s=config.lease_s,
        poll_s=config.poll_s,
        heartbeat_s=config.heartbeat_s,
        flush_s=config.flush_interval_s,
        flush_bytes=config.flush_bytes,
        pending_bytes=1 << 20,
        window_bytes=config.window_bytes,
        pool_size=settings.database.pool_size,
        pool_wait_s=settings.database.pool_wait_s,
        request_s=settings.database.statement_timeout_s,
        connect_timeout_s=settings.database.connect_timeout_s,
        statement_timeout_s=settings.database.log_statement_timeout_s,
        idle_in_transaction_s=settings.database.idle_in_transaction_s,
        run_timeout_s=config.run_timeout_s,
        max_attempts=config.max_attempts,
        queue_max=config.queue_max,
        idempotency_ttl_s=config.idempotency_ttl_s,
        maintenance_s=max(1.0, min(60.0, config.fold_after_s)),
        fold_after_s=config.fold_after_s,
        retention_days=config.retention_days,
        days_ahead=config.partition_days_ahead,
    )

"""One worker's running system, opened in order and closed in reverse."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from importlib.metadata import version
from uuid import UUID

import msgspec

from cartrita.adapters.persistence.conversations import ConversationTable
from cartrita.adapters.persistence.messages import MessageTree
from cartrita.adapters.persistence.removal import Removal
from cartrita.adapters.persistence.search import FullText
from cartrita.adapters.persistence.tickets import TicketTable
from cartrita.adapters.providers.http import Http
from cartrita.adapters.runlog.log import RunLog, Tuning
from cartrita.adapters.runlog.replica import Place
from cartrita.application.conversations import Conversations
from cartrita.application.execution import Executor
from cartrita.application.history import History
from cartrita.application.housekeeping import Housekeeping
from cartrita.application.messages import Messages
from cartrita.application.runs import Runs
from cartrita.application.search import Search
from cartrita.assembly.access import access, database_at
from cartrita.assembly.models import gateway_of
from cartrita.kit.secret import Secret
from cartrita.settings import Settings
from cartrita.surfaces.services import Rules, Services

_HOUSEKEEPING_S = 60.0


class Seat(msgspec.Struct, frozen=True):
    """Where a worker sits: its database, its secret, its place among the workers."""

    dsn: str
    secret: Secret
    instance: UUID
    slot: int
    slots: int


class Assembly:
    """A running system."""

    def __init__(
        self, services: Services, run_log: RunLog, executor: Executor, drain_s: float
    ) -> None:
        self.services = services
        self._run_log = run_log
        self._executor = executor
        self._drain_s = drain_s

    async def drain(self) -> None:
        """Before the end: take nothing new, send readers away, let runs finish or hand them on."""
        self._run_log.stop_claiming()
        self._run_log.send_readers_away()
        await self._executor.drain(self._drain_s)


@asynccontextmanager
async def assembled(settings: Settings, seat: Seat) -> AsyncGenerator[Assembly]:
    """Open everything, keep it running, close it in reverse."""
    place = Place(seat.instance, seat.slot, seat.slots)
    async with (
        database_at(settings, seat.dsn) as database,
        RunLog.opened(seat.dsn, place, _tuning(settings)) as run_log,
        Http() as http,
        asyncio.TaskGroup() as tasks,
    ):
        keys, sessions = access(database, seat.secret, settings)
        conversations = ConversationTable(database)
        messages = MessageTree(database)
        removal = Removal(database)
        search = FullText(database)
        gateway = await gateway_of(settings, http, search)
        history = History(
            messages,
            messages=settings.history.context_messages,
            characters=settings.history.context_chars,
        )
        executor = Executor(run_log.queue, run_log.writer, history, gateway)
        conversation_cases = Conversations(
            conversations, removal, messages, run_log.reader, run_log.cancellation
        )
        services = Services(
            runs=Runs(
                run_log.admission,
                run_log.cancellation,
                run_log.reader,
                conversations,
                messages,
                gateway,
                busy=settings.run_log.busy,
            ),
            conversations=conversation_cases,
            messages=Messages(messages, conversation_cases),
            search=Search(search),
            keys=keys,
            sessions=sessions,
            models=gateway.models,
            ready=_readiness(run_log),
        )
        house = Housekeeping(removal, TicketTable(database), interval_s=_HOUSEKEEPING_S)
        loops = (executor.execute_for_ever(), house.keep_house_for_ever())
        working = [tasks.create_task(loop) for loop in loops]
        yield Assembly(services, run_log, executor, settings.server.drain_s)
        for task in working:
            task.cancel()


def rules(settings: Settings) -> Rules:
    """What the surfaces know before anything is open."""
    return Rules(
        keyless=settings.auth.mode == "loopback",
        cors_origins=settings.server.cors_origins,
        body_max_bytes=settings.server.body_max_bytes,
        body_timeout_s=settings.server.body_timeout_s,
        session_s=settings.auth.session_s,
        ticket_s=settings.auth.ticket_s,
        version=version("cartrita"),
    )


def _readiness(run_log: RunLog) -> Callable[[], Awaitable[Mapping[str, bool]]]:
    async def ready() -> Mapping[str, bool]:
        return {"database": run_log.ready}

    return ready


def _tuning(settings: Settings) -> Tuning:
    given = settings.run_log
    return Tuning(
        lease_s=given.lease_s,
        poll_s=given.poll_s,
        heartbeat_s=given.heartbeat_s,
        flush_s=given.flush_interval_s,
        flush_bytes=given.flush_bytes,
        pending_bytes=1 << 20,
        window_bytes=given.window_bytes,
        pool_size=settings.database.pool_size,
        pool_wait_s=settings.database.pool_wait_s,
        connect_timeout_s=settings.database.connect_timeout_s,
        statement_timeout_s=settings.database.log_statement_timeout_s,
        idle_in_transaction_s=settings.database.idle_in_transaction_s,
        run_timeout_s=given.run_timeout_s,
        max_attempts=given.max_attempts,
        queue_max=given.queue_max,
        idempotency_ttl_s=given.idempotency_ttl_s,
        maintenance_s=max(1.0, min(60.0, given.fold_after_s)),
        fold_after_s=given.fold_after_s,
        retention_days=given.retention_days,
        days_ahead=given.partition_days_ahead,
    )

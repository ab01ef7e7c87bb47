"""From settings to a running system: the one place that knows every concrete class."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from uuid import UUID

import msgspec
import structlog

from cartrita.adapters.persistence.conversations import ConversationTable
from cartrita.adapters.persistence.database import Database
from cartrita.adapters.persistence.keys import KeyTable
from cartrita.adapters.persistence.messages import MessageTree
from cartrita.adapters.persistence.removal import Removal
from cartrita.adapters.persistence.search import SearchTable
from cartrita.adapters.persistence.tickets import TicketTable
from cartrita.adapters.providers.http import Http
from cartrita.adapters.runlog.log import RunLog, Tuning
from cartrita.adapters.runlog.replica import Place
from cartrita.agents.roster import Roster
from cartrita.application.conversations import Conversations
from cartrita.application.execution import Executor
from cartrita.application.history import History
from cartrita.application.keys import Keys
from cartrita.application.messages import Messages
from cartrita.application.runs import Runs
from cartrita.application.search import Search
from cartrita.application.sessions import Sessions
from cartrita.kit.derivation import derive
from cartrita.kit.secret import Secret
from cartrita.settings import Settings
from cartrita.surfaces.services import Rules, Services

log = structlog.get_logger()


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
        search = SearchTable(database)
        roster = Roster()
        gateway = await gateway_of(settings, http, search)
        history = History(
            messages,
            messages=settings.history.context_messages,
            characters=settings.history.context_chars,
        )
        executor = Executor(run_log.queue, run_log.writer, history, gateway, roster)
        conversation_cases = Conversations(
            conversations, Removal(database), messages, run_log.reader, run_log.cancellation
        )
        services = Services(
            runs=Runs(
                run_log.admission,
                run_log.cancellation,
                run_log.reader,
                conversations,
                messages,
                gateway,
                roster,
            ),
            conversations=conversation_cases,
            messages=Messages(messages, conversation_cases),
            search=Search(search, roster),
            keys=keys,
            sessions=sessions,
            models=gateway.models,
            ready=_readiness(run_log),
        )
        working = tasks.create_task(executor.execute_for_ever())
        yield Assembly(services, run_log, executor, settings.server.drain_s)
        working.cancel()


@asynccontextmanager
async def database_at(settings: Settings, dsn: str) -> AsyncGenerator[Database]:
    """The pool of everything but the run log."""
    given = settings.database
    database = Database(
        sqlalchemy_url(dsn),
        pool_size=given.pool_size,
        pool_wait_s=given.pool_wait_s,
        statement_timeout_s=given.statement_timeout_s,
        idle_in_transaction_s=given.idle_in_transaction_s,
    )
    try:
        yield database
    finally:
        await database.close()


def access(database: Database, secret: Secret, settings: Settings) -> tuple[Keys, Sessions]:
    """Who may come in."""
    keys = Keys(KeyTable(database), derive(secret, "pepper"), settings.auth.bootstrap_key)
    sessions = Sessions(
        TicketTable(database),
        keys,
        derive(secret, "sessions"),
        session_s=settings.auth.session_s,
        ticket_s=settings.auth.ticket_s,
        code_s=settings.auth.sign_in_code_s,
    )
    return keys, sessions


def rules(settings: Settings) -> Rules:
    """What the surfaces know before anything is open."""
    return Rules(
        keyless=settings.auth.mode == "loopback",
        cors_origins=settings.server.cors_origins,
        body_max_bytes=settings.server.body_max_bytes,
        body_timeout_s=settings.server.body_timeout_s,
        session_s=settings.auth.session_s,
    )


def sqlalchemy_url(dsn: str) -> str:
    return dsn.replace("postgresql://", "postgresql+asyncpg://", 1)


def _readiness(run_log: RunLog):  # noqa: ANN202
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
        run_timeout_s=given.run_timeout_s,
        max_attempts=given.max_attempts,
        queue_max=given.queue_max,
        idempotency_ttl_s=given.idempotency_ttl_s,
        maintenance_s=max(1.0, min(60.0, given.fold_after_s)),
        fold_after_s=given.fold_after_s,
        retention_days=given.retention_days,
        days_ahead=given.partition_days_ahead,
    )

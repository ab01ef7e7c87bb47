"""All parts of one running worker, opened in order and closed in reverse."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from importlib.metadata import version

import msgspec

from cartrita.adapters.persistence.cached_answers import CachedAnswerTable
from cartrita.adapters.persistence.conversations import ConversationTable
from cartrita.adapters.persistence.items import ItemTable
from cartrita.adapters.persistence.ledger import LedgerTable
from cartrita.adapters.persistence.messages import MessageTree
from cartrita.adapters.persistence.removal import Removal
from cartrita.adapters.persistence.run_removal import RunTable
from cartrita.adapters.persistence.search import FullText
from cartrita.adapters.persistence.tickets import TicketTable
from cartrita.adapters.providers.http import HttpClient
from cartrita.adapters.runlog.run_log import RunLog, RunLogSettings
from cartrita.adapters.runlog.worker_slot import WorkerSlot
from cartrita.adapters.tokens.counter import TokenizerCounter
from cartrita.agents.registry import AgentRegistry, built_in_agents
from cartrita.application.agent_models import AgentModels
from cartrita.application.cleanup import Cleanup
from cartrita.application.code_generation import CodeGeneration
from cartrita.application.completions import Completions
from cartrita.application.conversations import Conversations
from cartrita.application.execution import Executor
from cartrita.application.history import History
from cartrita.application.messages import Messages
from cartrita.application.model_runs import ModelRuns
from cartrita.application.runs import Runs
from cartrita.application.search import Search
from cartrita.application.usage import UsageReports
from cartrita.assembly.authentication import create_authentication
from cartrita.assembly.database import open_connection_pool
from cartrita.assembly.gateway import create_gateway, create_offline
from cartrita.assembly.prices import create_pricing
from cartrita.assembly.providers import create_provider_checks, open_providers
from cartrita.assembly.response_cache import cache_bounds, open_response_cache
from cartrita.gateway.metering import Meter
from cartrita.kit.secret import Secret
from cartrita.settings import Settings
from cartrita.surfaces.services import Services, SurfaceConfig

_CLEANUP_INTERVAL_S = 60.0


class WorkerContext(msgspec.Struct, frozen=True):
    """What the parent process gives a worker: database, secret, and its place in the pool."""

    dsn: str
    secret: Secret
    slot: WorkerSlot


class System:
    """A running worker: its services, and how to drain it."""

    def __init__(
        self, services: Services, run_log: RunLog, executor: Executor, drain_s: float
    ) -> None:
        self.services = services
        self._run_log = run_log
        self._executor = executor
        self._drain_s = drain_s

    async def drain(self) -> None:
        """Before exit: accept no new runs, disconnect readers, finish or release current runs."""
        self._run_log.stop_claiming()
        self._run_log.disconnect_readers()
        await self._executor.drain(self._drain_s)


@asynccontextmanager
async def open_system(settings: Settings, context: WorkerContext) -> AsyncGenerator[System]:
    """Open all parts, keep their background tasks running, and close them in reverse."""
    async with (
        open_connection_pool(settings, context.dsn) as database,
        RunLog.open(context.dsn, context.slot, run_log_settings(settings)) as run_log,
        HttpClient() as http,
        open_response_cache(settings, database, context.secret) as response_cache,
        asyncio.TaskGroup() as tasks,
    ):
        authentication = create_authentication(database, context.secret, settings)
        conversations = ConversationTable(database)
        messages = MessageTree(database)
        removal = Removal(database)
        search = FullText(database)
        ledger = LedgerTable(
            database,
            interval_s=settings.ledger.flush_interval_s,
            capacity=settings.ledger.pending_max,
            retention_days=settings.ledger.retention_days,
        )
        counter = TokenizerCounter(settings.openai_compat.counting_model)
        meter = Meter(ledger, create_pricing(settings).cost, counter=counter)
        providers = [*await open_providers(settings, http), create_offline(settings, search)]
        gateway = create_gateway(settings, providers, meter, response_cache)
        agents = AgentRegistry(built_in_agents())
        history = History(
            messages,
            messages=settings.history.context_messages,
            characters=settings.history.context_chars,
            counter=counter,
        )
        executor = Executor(run_log.queue, run_log.writer, history, gateway, agents, counter)
        conversation_service = Conversations(
            conversations, removal, messages, run_log.reader, run_log.cancellation
        )
        busy = settings.run_log.busy
        runs = Runs(
            run_log.admission,
            run_log.cancellation,
            run_log.reader,
            conversation_service,
            messages,
            gateway,
            agents,
            busy=busy,
        )
        services = Services(
            runs=runs,
            model_runs=ModelRuns(
                runs,
                run_log.admission,
                conversation_service,
                messages,
                RunTable(database),
                gateway,
                agents,
                busy=busy,
                agent_context_tokens=settings.openai_compat.max_context_tokens,
            ),
            conversations=conversation_service,
            messages=Messages(messages, ItemTable(database), conversation_service),
            search=Search(search),
            usage=UsageReports(ledger),
            agents=agents,
            completions=Completions(
                gateway,
                AgentModels(agents, settings.openai_compat.model_name),
                counter,
            ),
            api_keys=authentication.api_keys,
            login_sessions=authentication.login_sessions,
            tickets=authentication.tickets,
            code=CodeGeneration(gateway),
            provider_checks=create_provider_checks(settings, providers),
            models=gateway.models,
            health=gateway.health,
            ready=_readiness(run_log),
        )
        sweeps = {
            "tickets": TicketTable(database),
            "cached_answers": CachedAnswerTable(database, cache_bounds(settings)),
            "ledger": ledger,
        }
        cleanup = Cleanup(removal, sweeps, interval_s=_CLEANUP_INTERVAL_S)
        loops = (
            executor.run(),
            cleanup.run(),
            ledger.run(),
            gateway.run(),
            authentication.api_keys.run(),
        )
        background = [tasks.create_task(loop) for loop in loops]
        yield System(services, run_log, executor, settings.server.drain_s)
        for task in background:
            task.cancel()


def surface_config(settings: Settings) -> SurfaceConfig:
    """The limits and modes that the surfaces apply to every request."""
    return SurfaceConfig(
        keyless=settings.auth.mode == "loopback",
        cors_origins=settings.server.cors_origins,
        body_max_bytes=settings.server.body_max_bytes,
        v1_body_max_bytes=settings.server.v1_body_max_bytes,
        body_timeout_s=settings.server.body_timeout_s,
        session_s=settings.auth.session_s,
        ticket_s=settings.auth.ticket_s,
        heartbeat_s=settings.run_log.heartbeat_s,
        v1=settings.openai_compat.enable,
        translated_choices=settings.openai_compat.max_choices,
        version=version("cartrita"),
    )


def _readiness(run_log: RunLog) -> Callable[[], Awaitable[Mapping[str, bool]]]:
    async def ready() -> Mapping[str, bool]:
        return {"database": run_log.ready}

    return ready


def run_log_settings(settings: Settings) -> RunLogSettings:
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

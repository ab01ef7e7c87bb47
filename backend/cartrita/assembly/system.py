"""All parts of one running worker, opened in order and closed in reverse."""

import asyncio
from collections.abc import AsyncGenerator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager

import msgspec

from cartrita.adapters.runlog.run_log import RunLog
from cartrita.adapters.runlog.worker_slot import WorkerSlot
from cartrita.application.access.watch import AccessWatch
from cartrita.application.model_choice import AgentModelChoice
from cartrita.application.runs.execution import Executor
from cartrita.assembly.agents import create_agents, warn_of_missing_names
from cartrita.assembly.authentication import create_authentication
from cartrita.assembly.code import open_sandbox
from cartrita.assembly.credentials import open_credentials
from cartrita.assembly.desktops import open_desktop_parts
from cartrita.assembly.files import open_files
from cartrita.assembly.last_words import time_for_last_words
from cartrita.assembly.metrics import AnyCounts, counts_of, create_metrics
from cartrita.assembly.models import open_models
from cartrita.assembly.readings import watch_parts
from cartrita.assembly.runs import create_executor
from cartrita.assembly.services import create_services
from cartrita.assembly.storage import create_cleanup, open_storage
from cartrita.assembly.tool_servers import open_tool_servers
from cartrita.assembly.tools import create_toolbox
from cartrita.assembly.tracing import open_prompts, open_scores, open_tracing
from cartrita.kit.secret import Secret
from cartrita.settings import Settings
from cartrita.surfaces.services import Services


class WorkerContext(msgspec.Struct, frozen=True):
    """What the parent process gives a worker: database, secret, and its place in the pool.

    `shared` are the descriptors of the files by which all workers tell their metrics.
    """

    dsn: str
    secret: Secret
    slot: WorkerSlot
    shared: tuple[int, ...] = ()


class System:
    """A running worker: its services, what counts its requests, and how to drain it."""

    def __init__(
        self,
        services: Services,
        run_log: RunLog,
        executor: Executor,
        counts: AnyCounts,
        *,
        drain_s: float,
        last_words_s: float,
    ) -> None:
        self.services = services
        self.counts = counts
        self._run_log = run_log
        self._executor = executor
        self._drain_s = drain_s
        self._last_words_s = last_words_s

    async def drain(self) -> None:
        """Before exit: accept no new runs, disconnect readers, finish or release current runs.

        What was said on sockets becomes runs meanwhile, which are answered in the same time.
        """
        end = asyncio.get_running_loop().time() + self._drain_s
        self._run_log.stop_claiming()
        self._run_log.disconnect_readers()
        await self.services.sockets.drain(self._last_words_s)
        await self._executor.drain(max(0.0, end - asyncio.get_running_loop().time()))


@asynccontextmanager
async def open_system(settings: Settings, context: WorkerContext) -> AsyncGenerator[System]:
    """Open all parts, keep their background tasks running, and close them in reverse."""
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        metrics = create_metrics(settings, context.slot, context.shared)
        counts = counts_of(metrics)
        tracer = await enter(open_tracing(settings))  # closed last: it sends what all others noted
        storage = await enter(open_storage(settings, context.dsn, context.slot, counts, tracer))
        scores = await enter(open_scores(settings, storage.database, counts, tracer))
        credentials = await open_credentials(settings, storage.database, context.secret)
        models = await enter(
            open_models(settings, storage, context.secret, credentials, metrics, tracer)
        )
        files = open_files(settings, storage.database, models.gateway)
        agents = create_agents(settings)
        prompts = await enter(open_prompts(settings, agents))
        sandbox = await open_sandbox(settings)
        servers = await enter(open_tool_servers(settings))
        desktops = await enter(open_desktop_parts(settings, storage, files, context.slot.instance))
        tools = create_toolbox(settings, storage, models, files, sandbox, servers, desktops)
        choice = AgentModelChoice(models.gateway, tools)
        warn_of_missing_names(settings, agents, tools)
        authentication = create_authentication(
            storage.database, context.secret, settings, models.brought_keys
        )
        executor = create_executor(
            settings,
            storage,
            models,
            agents,
            tools,
            choice,
            authentication.key_authentication,
            files,
            counts,
            tracer,
        )
        services = create_services(
            settings,
            storage,
            models,
            agents,
            tools,
            choice,
            authentication,
            credentials,
            files,
            desktops,
            sandbox.told,
            servers.available,
            metrics,
            tracer,
            scores,
        )
        if metrics is not None:
            watch_parts(metrics, settings, context.slot, storage, models, services, tracer, scores)
        watch = AccessWatch(
            authentication.key_authentication,
            authentication.known_keys,
            services.connections,
            storage.run_log.access_changes,
            sweep_s=settings.auth.sweep_s,
            others={
                "credentials": credentials.known.refresh,
                "budgets": models.budgets.refresh,
            },
        )
        counting = () if metrics is None else (metrics.run(),)
        embedding = () if files.embedder is None else (files.embedder.run(),)
        scoring = () if scores is None else (scores.run(),)
        prompting = () if prompts is None else (prompts.run(),)
        loops = (
            *counting,
            *embedding,
            *scoring,
            *prompting,
            desktops.keeper.run(),
            executor.run(),
            create_cleanup(settings, storage, files, scored=scores is not None).run(),
            files.reader.run(),
            storage.ledger.run(),
            models.gateway.run(),
            models.limit_tasks.run(),
            models.budgets.run(),
            authentication.known_keys.run(),
            watch.run(),
            services.voice.in_turn.run(),
            *(loop() for loop in servers.loops),
        )
        async with _running(loops):
            yield System(
                services,
                storage.run_log,
                executor,
                counts,
                drain_s=settings.server.drain_s,
                last_words_s=time_for_last_words(settings).until_answered_s,
            )


@asynccontextmanager
async def _running(loops: tuple[Coroutine[None, None, None], ...]) -> AsyncGenerator[None]:
    """Run these until the body ends. An exception of one cancels the body."""
    async with asyncio.TaskGroup() as tasks:
        background = [tasks.create_task(loop) for loop in loops]
        yield
        for task in background:
            task.cancel()

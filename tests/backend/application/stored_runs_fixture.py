"""The use cases of runs on a real database, with an executor and a scripted provider."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from obstore.store import MemoryStore
from tests.backend.adapters.runlog.fixtures import SETTINGS
from tests.backend.application.fakes import WATCHDOG_S, gateway
from tests.backend.scripted_provider import ScriptedProvider

from cartrita.adapters.blobs.blobs import Blobs
from cartrita.adapters.persistence.conversation_removal import ConversationRemover
from cartrita.adapters.persistence.conversations import ConversationTable
from cartrita.adapters.persistence.database import Database
from cartrita.adapters.persistence.files import FileTable
from cartrita.adapters.persistence.items import ItemTable
from cartrita.adapters.persistence.messages import MessageTree
from cartrita.adapters.persistence.passages import PassageTable
from cartrita.adapters.persistence.run_removal import RunRemover
from cartrita.adapters.runlog.run_log import RunLog
from cartrita.adapters.runlog.worker_slot import WorkerSlot
from cartrita.agents.registry import AgentRegistry
from cartrita.agents.roster import built_in_agents
from cartrita.application.conversations.conversations import Conversations
from cartrita.application.conversations.messages import Messages
from cartrita.application.files.context import FileContext
from cartrita.application.files.texts import FileTexts
from cartrita.application.history.history import History
from cartrita.application.model_choice import AgentModelChoice
from cartrita.application.runs.execution import Executor
from cartrita.application.runs.model_runs import ModelCommand, ModelRuns
from cartrita.application.runs.runs import Runs
from cartrita.application.runs.work import RunWork
from cartrita.domain.deltas import Delta
from cartrita.domain.events import LoggedEvent
from cartrita.domain.messages import StoredMessage
from cartrita.domain.principals import Principal
from cartrita.domain.replays import Replay
from cartrita.domain.runs import Admitted
from cartrita.kit.ids import public, uuid7
from cartrita.tools.toolbox import Toolbox

ANN = Principal("ann", "key")


class StoredRuns:
    """One replica; `provider` has the requests that reached the model."""

    def __init__(self, run_log: RunLog, database: Database, provider: ScriptedProvider) -> None:
        self.provider = provider
        blobs = Blobs(MemoryStore())
        store = FileTable(database)
        texts = FileTexts(store, PassageTable(database))
        files = FileContext(store, blobs, texts, characters=10_000, wait_s=0)
        tree = MessageTree(database)
        agents = AgentRegistry(built_in_agents())
        self.conversations = Conversations(
            ConversationTable(database),
            ConversationRemover(database),
            tree,
            run_log.reader,
            run_log.cancellation,
        )
        self.messages = Messages(tree, ItemTable(database), self.conversations)
        answering = gateway(provider)
        models = AgentModelChoice(answering, Toolbox())
        stores = self.conversations, tree
        ports = run_log.admission, run_log.cancellation, run_log.reader
        self.runs = Runs(*ports, *stores, answering, agents, models, files)
        self.model_runs = ModelRuns(
            self.runs, run_log.admission, *stores, RunRemover(database), agents, models, files
        )
        history = History(tree, messages=50, characters=10_000)
        work = RunWork(run_log.writer, history, answering, agents, models)
        self.executor = Executor(run_log.queue, run_log.writer, work)

    async def ask(self, command: ModelCommand, *, who: Principal = ANN) -> Admitted:
        """Start a run and wait for its end."""
        admitted = await self.model_runs.start(who, command)
        await self.ended(admitted)
        return admitted

    async def ended(self, admitted: Admitted) -> LoggedEvent:
        async with asyncio.timeout(WATCHDOG_S):
            return await self.runs.wait_for_end(admitted.run_id)

    async def deltas(self, admitted: Admitted) -> list[Delta]:
        """The answer as a surface tails it from the first event."""
        replay, deltas = Replay(), list[Delta]()
        async with asyncio.timeout(WATCHDOG_S), self.runs.tail(admitted.run_id, 0) as events:
            async for item in events:
                if isinstance(item, LoggedEvent):
                    deltas.extend(replay.deltas_of(item.event))
        return deltas

    async def branch(self, admitted: Admitted) -> list[StoredMessage]:
        """The current branch of its conversation, oldest first."""
        name = public("conv", admitted.conversation_id)
        return (await self.messages.list(ANN, name)).items


@asynccontextmanager
async def stored_runs(dsn: str, *scripts: Any) -> AsyncGenerator[StoredRuns]:
    """Open everything; each call of the model is answered by the next script."""
    database = Database(dsn, pool_size=4)
    try:
        async with RunLog.open(dsn, WorkerSlot(uuid7(), 0, 9), SETTINGS) as run_log:
            made = StoredRuns(run_log, database, ScriptedProvider(*scripts))
            async with asyncio.TaskGroup() as tasks:
                working = tasks.create_task(made.executor.run())
                yield made
                working.cancel()
    finally:
        await database.close()

"""A running executor on fake ports."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from tests.backend.application.fakes import (
    FakeMessageStore,
    FakeQueueAndWriter,
    gateway,
    stored_message,
    until,
)
from tests.backend.scripted_provider import ScriptedProvider

from cartrita.agents.registry import AgentRegistry
from cartrita.agents.roster import built_in_agents
from cartrita.application.history.history import History
from cartrita.application.model_choice import AgentModelChoice
from cartrita.application.runs.execution import Executor
from cartrita.application.runs.work import RunWork
from cartrita.domain.deltas import TextDelta
from cartrita.domain.errors import (
    CartritaError,
    UpstreamCut,
    UpstreamRejected,
)
from cartrita.domain.events import (
    Event,
    RunStopped,
    TextAppended,
)
from cartrita.domain.ports.metrics import RunCounts
from cartrita.domain.runs import (
    Claim,
    Ending,
)
from cartrita.domain.uncounted import UNCOUNTED
from cartrita.tools.toolbox import Toolbox


class Unstorable(CartritaError):
    default_code = "unstorable_output"


class ExecutorFixture:
    """A running executor on fake ports."""

    def __init__(
        self,
        *play: Any,
        provider: ScriptedProvider | None = None,
        agents: AgentRegistry | None = None,
        tools: Toolbox | None = None,
        history: Any = None,
        counts: RunCounts = UNCOUNTED,
        **work: Any,
    ) -> None:
        self.queue = FakeQueueAndWriter()
        self.provider = provider or ScriptedProvider(play)
        store = FakeMessageStore(stored_message("Hi")) if history is None else history
        told = History(store, messages=10, characters=1000)
        agents = agents or AgentRegistry(built_in_agents())
        tools = Toolbox() if tools is None else tools
        answering = gateway(self.provider)
        models = AgentModelChoice(answering, tools)
        self.work = RunWork(self.queue, told, answering, agents, models, tools=tools, **work)
        self.executor = Executor(self.queue, self.queue, self.work, counts)

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[None]:
        """Run the executor inside this context; its errors are raised here."""
        async with asyncio.TaskGroup() as tasks:
            working = tasks.create_task(self.executor.run())
            yield
            working.cancel()

    async def ending(self, claimed: Claim) -> Ending:
        """Execute a claim undisturbed, and return its ending."""
        async with self.open():
            self.queue.put(claimed)
            return await self.ended(claimed)

    async def ended(self, claimed: Claim) -> Ending:
        await until(lambda: claimed.run_id in self.queue.endings and not self.executor._active)
        return self.queue.endings[claimed.run_id]

    async def spoken(self, claimed: Claim) -> None:
        await until(lambda: self.texts(claimed))

    def texts(self, claimed: Claim) -> str:
        told: list[Event] = self.queue.events.get(claimed.run_id, [])
        return "".join(event.text for event in told if isinstance(event, TextAppended))

    def kinds(self, claimed: Claim) -> list[type[Event]]:
        return [type(event) for event in self.queue.events.get(claimed.run_id, [])]


def stopped(ending: Ending) -> RunStopped:
    assert isinstance(ending.event, RunStopped)
    return ending.event


def text_of(ending: Ending) -> str:
    return "" if ending.message is None else ending.message.text


HALF = TextDelta("half ")
REST = TextDelta("an answer")
CUT = UpstreamCut("It broke.", provider="p")
NO = UpstreamRejected("No.", provider="p")

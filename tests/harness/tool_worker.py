"""A process that executes runs with a tool which acts, and kills itself at a point of its step.

`python -m tests.harness.tool_worker DSN EFFECTS POINT` executes the runs of the database at DSN.
The tool `act` appends a line to the file EFFECTS. POINT is `none`, or where SIGKILL comes.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from tests.backend.adapters.runlog.fixtures import SETTINGS
from tests.backend.agents.loop_fixture import called, said
from tests.backend.application.fakes import gateway
from tests.backend.scripted_provider import ScriptedProvider

from cartrita.adapters.persistence.database import Database
from cartrita.adapters.persistence.messages import MessageTree
from cartrita.adapters.runlog.run_log import RunLog
from cartrita.adapters.runlog.worker_slot import WorkerSlot
from cartrita.agents.registry import AgentRegistry
from cartrita.agents.roster import built_in_agents, with_overrides
from cartrita.application.history.history import History
from cartrita.application.model_choice import AgentModelChoice
from cartrita.application.runs.execution import Executor
from cartrita.application.runs.work import RunWork
from cartrita.domain.events import Event
from cartrita.domain.requests import ModelRequest
from cartrita.domain.step_records import StepRecord, StepState
from cartrita.tools.schema import tool
from cartrita.tools.tool import Risk, ToolContext, ToolOutput
from cartrita.tools.toolbox import Toolbox

POINTS: Final = ("called", "announced", "acting", "acted", "recorded")
"""After the model called the tool; after the intent; in the act; before and after its record."""
INSTANCE: Final = UUID(int=7)
STEP: Final = called(("act", {"what": "once"}), text="I act.")


def die() -> None:
    """As a power cut: nothing of this process runs any more."""
    os.kill(os.getpid(), signal.SIGKILL)


class Model(ScriptedProvider):
    """Calls the tool once, and then says what came of it."""

    def stream(self, request: ModelRequest) -> Any:
        last = request.messages[-1]
        results = [part.text for part in last.parts if hasattr(part, "call_id")]  # type: ignore[union-attr]
        self.scripts = (said(f"It {results[0][:20]}.") if results else STEP,)
        return super().stream(request)


class MortalWriter:
    """The writer of a replica, in whose steps the process dies."""

    def __init__(self, writer: Any, point: str) -> None:
        self._writer = writer
        self._point = point
        self._last: StepRecord | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._writer, name)

    def record(self, run: Any, events: Sequence[Event], steps: Sequence[StepRecord]) -> None:
        self._last = steps[-1] if steps else None
        if self._point == "acted" and self._is_tool(StepState.DONE):
            die()
        self._writer.record(run, events, steps)

    async def commit(self, run: Any) -> None:
        await self._writer.commit(run)
        if self._point == "called" and self._last is not None and self._last.place.text == "1":
            die()
        if self._point == "announced" and self._is_tool(StepState.INTENT):
            die()
        if self._point == "recorded" and self._is_tool(StepState.DONE):
            die()

    def _is_tool(self, state: StepState) -> bool:
        return (
            self._last is not None and self._last.place.text == "1.1" and self._last.state is state
        )


def acting(effects: Path, point: str) -> Toolbox:
    """The tool, whose effect is a line in a file."""

    async def act(context: ToolContext, what: str) -> ToolOutput:
        """Act."""
        with effects.open("a") as file:
            file.write(f"{context.idem_key} {what}\n")
        if point == "acting":
            die()
        return ToolOutput(f"did {what}")

    return Toolbox((tool(act, risk=Risk.ACT),))


async def serve(dsn: str, effects: Path, point: str) -> None:
    """Execute runs until this process is killed."""
    overrides = {"supervisor": {"tools": ["act"], "delegates": []}}
    agents = AgentRegistry(with_overrides(built_in_agents(), overrides))
    database = Database(dsn, pool_size=2)
    async with RunLog.open(dsn, WorkerSlot(INSTANCE, 0, 1), SETTINGS) as log:
        writer: Any = MortalWriter(log.writer, point)
        history = History(MessageTree(database), messages=10, characters=1000)
        answering, tools = gateway(Model(STEP)), acting(effects, point)
        models = AgentModelChoice(answering, tools)
        work = RunWork(writer, history, answering, agents, models, tools=tools)
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        await Executor(log.queue, writer, work).run()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], Path(sys.argv[2]), sys.argv[3]))

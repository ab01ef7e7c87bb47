"""Runs with tools on fake ports: executed once, or from what an earlier execution has recorded."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import msgspec
from msgspec.structs import replace
from tests.backend.application.executor_fixture import ExecutorFixture
from tests.backend.application.fakes import DONE, claim
from tests.backend.scripted_provider import Script, ScriptedProvider

from cartrita.agents.registry import AgentRegistry
from cartrita.agents.roster import built_in_agents, with_overrides
from cartrita.domain.deltas import Finished, FinishReason, TextDelta, ToolCallDelta
from cartrita.domain.events import Event, RunCompleted, ToolReturned
from cartrita.domain.runs import Claim, Ending, RunInput
from cartrita.domain.step_records import StepRecord
from cartrita.domain.token_classes import Costs
from cartrita.domain.usage import Usage
from cartrita.tools.calculator import CALCULATOR
from cartrita.tools.tool import Tool
from cartrita.tools.toolbox import Toolbox

CALLED = Finished(FinishReason.TOOL_CALL, Usage(10, 5))


def said(text: str) -> Script:
    """A last step."""
    return [TextDelta(text), DONE]


def called(*calls: tuple[str, Any], text: str = "", first: int = 1) -> Script:
    """A step that calls tools; the ids are c1, c2, ..."""
    deltas: list[Any] = [TextDelta(text)] if text else []
    for position, (name, arguments) in enumerate(calls):
        written = msgspec.json.encode(arguments).decode()
        deltas.append(ToolCallDelta(position, f"c{first + position}", name, written))
    return [*deltas, CALLED]


class LoopFixture(ExecutorFixture):
    """An executor with tools; each model call is answered by the next script."""

    def __init__(
        self,
        *scripts: Script,
        tools: Sequence[Tool] = (),
        overrides: Any = None,
        **work: Any,
    ) -> None:
        names = tuple(tool.name for tool in tools)
        given = {"supervisor": {"tools": ["calculator", *names]}, **(overrides or {})}
        super().__init__(
            provider=ScriptedProvider(*scripts),
            agents=AgentRegistry(with_overrides(built_in_agents(), given)),
            tools=Toolbox((CALCULATOR, *tools)),
            **work,
        )

    def results(self, claimed: Claim) -> list[tuple[str, Any, bool]]:
        """What tools returned, in the order of the log."""
        events = self.queue.events[claimed.run_id]
        return [(e.call_id, e.result, e.success) for e in events if isinstance(e, ToolReturned)]

    def recorded(self, claimed: Claim) -> tuple[list[Event], list[StepRecord]]:
        """The log and the last record of each step, as a claim would find them."""
        latest = {step.place: step for step in self.queue.steps.get(claimed.run_id, [])}
        return self.queue.events.get(claimed.run_id, []), list(latest.values())

    async def resumed(self, claimed: Claim, events: Sequence[Event], steps: Any) -> Ending:
        """Execute a run from a log and records, as after a crash."""
        again = replace(
            claimed,
            attempt=2,
            logged=(claimed.started, *events),
            steps=tuple(steps),
            last_seq=len(events) + 1,
        )
        return await self.ending(again)


def asked(**values: Any) -> Claim:
    """A claim of a run of the supervisor."""
    return claim(input=RunInput(agent="supervisor", provider="p", model="m", **values))


def completed(ending: Ending) -> RunCompleted:
    """The event of an answer that is complete."""
    assert isinstance(ending.event, RunCompleted), ending.event
    return ending.event


def quarter(_provider: str, _model: str, _usage: Usage, _tenant: str) -> Costs:
    """The costs of each model call, in US dollars."""
    return {"input": Decimal("0.25")}

"""One model call of an agent: told and logged as it comes, measured, and recorded at its end."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, asynccontextmanager

from msgspec.structs import replace

from cartrita.agents.assignment import Assignment
from cartrita.agents.deadline import CONCLUSION_S, Deadline
from cartrita.agents.offered_tools import OfferedTools
from cartrita.agents.run_context import RunContext
from cartrita.agents.step import Step
from cartrita.domain.deltas import FinishReason
from cartrita.domain.errors import CartritaError
from cartrita.domain.events import (
    Event,
    SourceFound,
    TaskProgressed,
    TextAppended,
    ToolCalled,
    UsageRecorded,
)
from cartrita.domain.fold import Fold
from cartrita.domain.messages import ToolCall
from cartrita.domain.requests import ModelRequest
from cartrita.domain.step_records import ModelSaid, StepRecord, StepState


class ModelCall:
    """The model call of the step `number` of an assignment, from 1, made once.

    `concludes` is true if the model was told to call no tools, because something is used up.
    """

    def __init__(
        self,
        run: RunContext,
        assignment: Assignment,
        tools: OfferedTools,
        deadline: Deadline,
        *,
        number: int,
        concludes: bool,
    ) -> None:
        self._run = run
        self._assignment = assignment
        self._tools = tools
        self._deadline = deadline
        self._number = number
        self._concludes = concludes
        self._place = assignment.place.step(number)
        self.cut_off = False
        """Whether it was ended, because its seconds were used up."""
        self.stop_sequence: str | None = None
        self.vendor_reason: str | None = None

    async def said(self, request: ModelRequest) -> ModelSaid:
        """Make it and log it as it comes; its end and its calls are one transaction."""
        run, step = self._run, self._step(request)
        with run.unfinished.model_call(
            self._place, lambda: self._measured(step, step.usage_event())
        ):
            await self._tell_progress()
            fold = Fold()
            calls, measured = await self._heard(step, fold)
            parts = fold.parts
            if self._concludes:
                calls, parts = [], tuple(part for part in parts if not isinstance(part, ToolCall))
            self.stop_sequence, self.vendor_reason = step.stop_sequence, step.vendor_reason
            reason = step.finish_reason or FinishReason.STOP
            said = ModelSaid(parts, reason, measured.usage, measured.cost)
            is_stored = self._is_stored(said)
            if is_stored:
                record = StepRecord(place=self._place, state=StepState.DONE, output=said)
                run.journal.record([*calls, measured], [record])
            else:
                for event in (*calls, measured):
                    await run.journal.append(event)
        if is_stored:
            await run.journal.stored()
        return said

    def _step(self, request: ModelRequest) -> Step:
        assignment = self._assignment
        answer = self._run.journal.answer
        said = assignment.said if self._number == 1 else ""
        return Step(
            (assignment.continuing if said else None) or assignment.model.provider,
            request,
            said=said,
            position=answer.length if assignment.task_id is None else 0,
            lead=self._lead(),
            limits=assignment.agent.limits,
            counter=self._run.counter,
            clock=self._run.clock,
        )

    def _lead(self) -> str:
        """What parts the text of the step from what the answer says before it."""
        assignment, before = self._assignment, self._run.journal.answer.text
        goes_on = self._number == 1 and (bool(assignment.said) or not assignment.done)
        if assignment.task_id is not None or goes_on or not before.strip():
            return ""
        return "" if before[-1].isspace() else "\n\n"

    def _measured(self, step: Step, used: UsageRecorded) -> UsageRecorded:
        agent, task_id = self._assignment.agent.id, self._assignment.task_id
        return self._run.measured(used, step.answered_by, agent, task_id)

    async def _tell_progress(self) -> None:
        task_id = self._assignment.task_id
        if task_id is not None:
            status = f"{self._assignment.agent.name}: step {self._number}"
            await self._run.journal.append(TaskProgressed(task_id, status))

    async def _heard(self, step: Step, fold: Fold) -> tuple[list[Event], UsageRecorded]:
        """The calls of a step and its usage; what it says is told and folded as it comes.

        What was used before an error is logged.
        """
        calls: list[Event] = []
        measured: UsageRecorded | None = None
        try:
            async with self._time_to_say(), aclosing(step.events()) as events:
                async for event in events:
                    match event:
                        case UsageRecorded():
                            measured = self._measured(step, event)
                        case ToolCalled():
                            calls.append(self._called(event))
                            fold.add(replace(event, task_id=None))
                        case _:
                            fold.add(event)
                            await self._tell(event)
        except CartritaError:
            if measured is not None:
                await self._run.journal.append(measured)
            raise
        return calls, measured or self._measured(step, step.usage_event())

    @asynccontextmanager
    async def _time_to_say(self) -> AsyncGenerator[None]:
        """The call is cut off when its time is over; one that concludes has some."""
        left = self._deadline.left
        if left is not None and self._concludes:
            left = max(left, CONCLUSION_S)
        time = asyncio.timeout(left)
        try:
            async with time:
                yield
        except TimeoutError:
            if not time.expired():
                raise
            self.cut_off = True

    def _called(self, event: ToolCalled) -> ToolCalled:
        return replace(event, own=self._tools.is_own(event), task_id=self._assignment.task_id)

    async def _tell(self, event: Event) -> None:
        """Log a piece of the answer as it comes; of a task only its sources are told."""
        task_id = self._assignment.task_id
        if isinstance(event, SourceFound):
            event = replace(event, citation=self._run.sources.numbered(event.citation))
        if task_id is None:
            if isinstance(event, TextAppended):
                for citation in self._run.sources.take_offered():
                    await self._run.journal.append(SourceFound(citation))
            await self._run.journal.append(event)
        elif isinstance(event, SourceFound):
            await self._run.journal.append(replace(event, task_id=task_id))

    def _is_stored(self, said: ModelSaid) -> bool:
        """Whether a run goes on from a step: from those of tasks, and those that have calls."""
        goes_on = bool(self._tools.own_calls(self._place, said.parts))
        return not self.cut_off and (self._assignment.task_id is not None or goes_on)

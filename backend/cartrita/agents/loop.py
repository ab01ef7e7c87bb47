"""The loop of an agent: a model call, the tools that it calls, the next model call."""

import asyncio
import re
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import Final

from msgspec.structs import replace

from cartrita.agents.assignment import Assignment, Conclusion
from cartrita.agents.context import Context
from cartrita.agents.deadline import CONCLUSION_S, SECONDS, Deadline
from cartrita.agents.run_context import RunContext
from cartrita.agents.step import Step
from cartrita.agents.tool_calls import MalformedSteps
from cartrita.agents.tool_runner import PlacedCall, ToolRunner
from cartrita.domain.deltas import FinishReason
from cartrita.domain.errors import CartritaError, UpstreamRejected
from cartrita.domain.events import (
    Event,
    SourceFound,
    TaskProgressed,
    TextAppended,
    ToolCalled,
    UsageRecorded,
)
from cartrita.domain.fold import Fold
from cartrita.domain.message_steps import without_tools
from cartrita.domain.messages import Message, Part, Refusal, Role, Text, ToolCall
from cartrita.domain.requests import ModelRequest
from cartrita.domain.step_records import ModelSaid, StepRecord, StepState
from cartrita.domain.tools import Tool, ToolChoice
from cartrita.tools.toolbox import Toolbox

_CONCLUDE: Final = (
    "[The server: what this answer may use of {cap} is used up. Answer now with what you have, "
    "without calling tools, and say what is missing.]"
)

_TOOLS: Final = re.compile(r"\b(tools?|functions?)\b", re.IGNORECASE)


async def work(run: RunContext, assignment: Assignment) -> Conclusion:
    """Work on an assignment until its model stops, or has to.

    What is stored of it is not done again. Raises CartritaError, and ApprovalsNeeded when nothing
    can go on before a person has decided.
    """
    return await _Loop(run, assignment).conclusion()


class _Loop:
    """The steps of one assignment."""

    def __init__(self, run: RunContext, assignment: Assignment) -> None:
        self._run = run
        self._assignment = assignment
        self._started_at = run.clock() if assignment.task_id else run.started_at
        self._deadline = Deadline(run.clock, self._started_at, assignment.caps.seconds)
        self._runner = ToolRunner(run, assignment, self._deadline)
        self._tokens = 0
        self._cost = 0.0
        given = assignment.request.tools
        named = {tool.name for tool in given}
        self._own = assignment.tools.without(named)
        self._tools: tuple[Tool, ...] = (*self._own.specs, *given)
        model = assignment.model
        room = model.room(assignment.agent.limits.context_tokens)
        self._context = Context(assignment.request.messages, run.counter, model.model, room)
        for said, results in assignment.done:
            self._context.add(said, results)
        self._malformed = MalformedSteps(model.provider.name)
        self._last: Step | None = None
        self._cut_off = False
        """Whether the last model call was ended, because its seconds were used up."""

    async def conclusion(self) -> Conclusion:
        number = 0
        while True:
            number += 1
            cap = self._cap(number)
            said = await self._said(number, cap)
            if self._cut_off and cap is None:
                if not _has_text(said.parts):
                    continue
                cap = SECONDS
            own = self._own_calls(number, said.parts)
            theirs = _calls(said.parts) - len(own)
            if cap is not None or not own:
                return self._conclude(number, said, cap, theirs=bool(theirs))
            results = await self._runner.results(own)
            self._malformed.count([one.call for one in own])
            if theirs:
                return self._conclude(number, said, None, theirs=True)
            before = self._assignment.said if number == 1 else ""
            parts = (Text(before), *said.parts) if before else said.parts
            self._context.add(Message(Role.ASSISTANT, parts), Message(Role.TOOL, tuple(results)))

    def _cap(self, number: int) -> str | None:
        """What is used up before a step after the first, by this assignment or the whole run.

        Nothing was before one that is stored and went on: the run has used more since.
        """
        stored = self._run.steps.said(self._assignment.place.step(number))
        if number == 1 or (stored is not None and self._own_calls(number, stored.parts)):
            return None
        mine = self._assignment.caps.reached(
            steps=number - 1,
            tokens=self._tokens,
            cost=self._cost + self._runner.cost,
            seconds=self._run.clock() - self._started_at,
        )
        late = SECONDS if self._deadline.passed else None
        return mine or late or self._run.cap_reached

    async def _said(self, number: int, cap: str | None) -> ModelSaid:
        """What the model says in a step, which may be stored already."""
        said = self._run.steps.said(self._assignment.place.step(number))
        if said is None:
            said = await self._ask(number, cap)
        self._tokens += said.usage.total_tokens
        self._cost += said.cost or 0.0
        return said

    async def _ask(self, number: int, cap: str | None) -> ModelSaid:
        """Ask the model; once more without our tools if that is what its provider refuses."""
        try:
            return await self._call_model(number, self._request(number, cap), cap)
        except UpstreamRejected as error:
            if number > 1 or not len(self._own) or not _TOOLS.search(error.words or error.message):
                raise
        self._own = Toolbox()
        self._tools = self._assignment.request.tools
        return await self._call_model(number, self._request(number, cap), cap)

    def _request(self, number: int, cap: str | None) -> ModelRequest:
        messages = self._context.messages()
        if not self._tools:  # those of earlier turns, when there were some
            earlier = len(self._assignment.request.messages) + 2 * len(self._assignment.done)
            messages = (*without_tools(messages[:earlier]), *messages[earlier:])
        request = replace(self._assignment.request, messages=messages, tools=self._tools)
        choice: ToolChoice = request.tool_choice
        if number > 1 and choice != "none":
            choice = "auto"  # what had to be called has been
        if cap is None:
            return replace(request, tool_choice=choice)
        note = Message(Role.USER, (Text(_CONCLUDE.format(cap=cap)),))
        choice = "none" if self._tools else choice
        return replace(request, messages=(*request.messages, note), tool_choice=choice)

    async def _call_model(self, number: int, request: ModelRequest, cap: str | None) -> ModelSaid:
        """Make a model call and log it as it comes; its end and its calls are one transaction."""
        run, place = self._run, self._assignment.place.step(number)
        step = self._last = self._step(number, request)
        with run.unfinished.model_call(place, lambda: self._measured(step.usage_event())):
            await self._tell_progress(number)
            fold = Fold()
            calls, measured = await self._heard(step, fold, cap)
            parts = fold.parts
            if cap is not None:  # it was told to call none
                calls, parts = [], tuple(part for part in parts if not isinstance(part, ToolCall))
            reason = step.finish_reason or FinishReason.STOP
            said = ModelSaid(parts, reason, measured.usage, measured.cost)
            is_stored = self._is_stored(number, said)
            if is_stored:
                record = StepRecord(place=place, state=StepState.DONE, output=said)
                run.journal.record([*calls, measured], [record])
            else:
                for event in (*calls, measured):
                    await run.journal.append(event)
        if is_stored:
            await run.journal.stored()
        return said

    def _measured(self, used: UsageRecorded) -> UsageRecorded:
        assignment = self._assignment
        return self._run.measured(used, assignment.model, assignment.agent.id, assignment.task_id)

    async def _tell_progress(self, number: int) -> None:
        task_id = self._assignment.task_id
        if task_id is not None:
            status = f"{self._assignment.agent.name}: step {number}"
            await self._run.journal.append(TaskProgressed(task_id, status))

    async def _heard(
        self, step: Step, fold: Fold, cap: str | None
    ) -> tuple[list[Event], UsageRecorded]:
        """The calls of a step and its usage; what it says is told and folded as it comes.

        What was used before an error is logged.
        """
        calls: list[Event] = []
        measured: UsageRecorded | None = None
        try:
            async with self._time_to_say(cap), aclosing(step.events()) as events:
                async for event in events:
                    match event:
                        case UsageRecorded():
                            measured = self._measured(event)
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
        return calls, measured or self._measured(step.usage_event())

    @asynccontextmanager
    async def _time_to_say(self, cap: str | None) -> AsyncGenerator[None]:
        """A model call in here is cut off when its time is over; one that concludes has some."""
        self._cut_off = False
        left = self._deadline.left
        if left is not None and cap is not None:
            left = max(left, CONCLUSION_S)
        time = asyncio.timeout(left)
        try:
            async with time:
                yield
        except TimeoutError:
            if not time.expired():
                raise
            self._cut_off = True

    def _step(self, number: int, request: ModelRequest) -> Step:
        assignment = self._assignment
        answer = self._run.journal.answer
        said = assignment.said if number == 1 else ""
        return Step(
            (assignment.continuing if said else None) or assignment.model.provider,
            request,
            said=said,
            position=answer.length if assignment.task_id is None else 0,
            lead=self._lead(number),
            limits=assignment.agent.limits,
            counter=self._run.counter,
            clock=self._run.clock,
        )

    def _lead(self, number: int) -> str:
        """What parts the text of a step from what the answer says before it."""
        assignment, before = self._assignment, self._run.journal.answer.text
        goes_on = number == 1 and (bool(assignment.said) or not assignment.done)
        if assignment.task_id is not None or goes_on or not before.strip():
            return ""
        return "" if before[-1].isspace() else "\n\n"

    def _is_stored(self, number: int, said: ModelSaid) -> bool:
        """Whether a run goes on from a step: from those of tasks, and those that have calls."""
        of_task = self._assignment.task_id is not None
        return not self._cut_off and (of_task or bool(self._own_calls(number, said.parts)))

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

    def _called(self, event: ToolCalled) -> ToolCalled:
        return replace(event, own=self._is_own(event), task_id=self._assignment.task_id)

    def _own_calls(self, number: int, parts: Sequence[Part]) -> list[PlacedCall]:
        """The calls that this server runs, or answers because nobody has such a tool."""
        step = self._assignment.place.step(number)
        calls = [part for part in parts if isinstance(part, ToolCall)]
        return [
            PlacedCall(step.call(position), call)
            for position, call in enumerate(calls, 1)
            if self._is_own(call)
        ]

    def _is_own(self, call: ToolCall | ToolCalled) -> bool:
        """Whether the caller is not asked to run this tool."""
        if self._assignment.task_id is not None or call.malformed:
            return True
        if self._own.find(call.name) is not None:
            return True
        return len(self._own) > 0 and all(call.name != tool.name for tool in self._tools)

    def _conclude(
        self, number: int, said: ModelSaid, cap: str | None, *, theirs: bool
    ) -> Conclusion:
        reason = said.reason
        if cap is not None:
            reason = FinishReason.LENGTH
        elif theirs:
            reason = FinishReason.TOOL_CALL
        return Conclusion(
            text="".join(part.text for part in said.parts if isinstance(part, Text | Refusal)),
            reason=reason,
            stop_sequence=None if self._last is None else self._last.stop_sequence,
            vendor_reason=None if self._last is None else self._last.vendor_reason,
            cap=cap,
        )


def _has_text(parts: Sequence[Part]) -> bool:
    return any(isinstance(part, Text | Refusal) for part in parts)


def _calls(parts: Sequence[Part]) -> int:
    return sum(isinstance(part, ToolCall) for part in parts)

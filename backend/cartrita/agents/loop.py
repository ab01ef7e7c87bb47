"""The loop of an agent: a model call, the tools that it calls, the next model call."""

import re
from collections.abc import Sequence
from typing import Final

from msgspec.structs import replace

from cartrita.agents.assignment import Assignment, Conclusion
from cartrita.agents.context import Context
from cartrita.agents.deadline import SECONDS, Deadline
from cartrita.agents.model_call import ModelCall
from cartrita.agents.offered_tools import OfferedTools
from cartrita.agents.run_context import RunContext
from cartrita.agents.tool_calls import MalformedSteps
from cartrita.agents.tool_runner import PlacedCall, ToolRunner
from cartrita.domain import costs
from cartrita.domain.deltas import FinishReason
from cartrita.domain.errors import UpstreamRejected
from cartrita.domain.message_steps import without_tools
from cartrita.domain.messages import Message, Part, Refusal, Role, Text, ToolCall
from cartrita.domain.requests import ModelRequest
from cartrita.domain.step_records import ModelSaid
from cartrita.domain.tools import ToolChoice

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
        self._tools = OfferedTools(
            assignment.tools, assignment.request.tools, in_task=assignment.task_id is not None
        )
        model = assignment.model
        room = model.room(assignment.agent.limits.context_tokens)
        self._context = Context(assignment.request.messages, run.counter, model.model, room)
        for said, results in assignment.done:
            self._context.add(said, results)
        self._malformed = MalformedSteps(model.provider.name)
        self._last: ModelCall | None = None

    async def conclusion(self) -> Conclusion:
        number = 0
        while True:
            number += 1
            cap = self._cap(number)
            said = await self._said(number, cap)
            if self._last is not None and self._last.cut_off and cap is None:
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
            cost=costs.add(self._cost, self._runner.cost),
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
        self._cost = costs.add(self._cost, said.cost or 0.0)
        return said

    async def _ask(self, number: int, cap: str | None) -> ModelSaid:
        """Ask the model; once more without our tools if that is what its provider refuses, and
        something can be answered without them.
        """
        try:
            return await self._call_model(number, cap)
        except UpstreamRejected as error:
            about_tools = _TOOLS.search(error.words or error.message)
            optional = self._tools.any_allowed and not self._tools.has_desktop
            if number > 1 or not optional or not about_tools:
                raise
        self._tools = self._tools.given_only()
        return await self._call_model(number, cap)

    def _request(self, number: int, cap: str | None) -> ModelRequest:
        messages, tools = self._context.messages(), self._tools.told
        if not tools:  # those of earlier turns, when there were some
            earlier = len(self._assignment.request.messages) + 2 * len(self._assignment.done)
            messages = (*without_tools(messages[:earlier]), *messages[earlier:])
        request = replace(self._assignment.request, messages=messages, tools=tools)
        choice: ToolChoice = request.tool_choice
        if number > 1 and choice != "none":
            choice = "auto"  # what had to be called has been
        if cap is None:
            return replace(request, tool_choice=choice)
        note = Message(Role.USER, (Text(_CONCLUDE.format(cap=cap)),))
        choice = "none" if tools else choice
        return replace(request, messages=(*request.messages, note), tool_choice=choice)

    async def _call_model(self, number: int, cap: str | None) -> ModelSaid:
        self._last = ModelCall(
            self._run,
            self._assignment,
            self._tools,
            self._deadline,
            number=number,
            concludes=cap is not None,
        )
        return await self._last.said(self._request(number, cap))

    def _own_calls(self, number: int, parts: Sequence[Part]) -> list[PlacedCall]:
        return self._tools.own_calls(self._assignment.place.step(number), parts)

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

"""Runs the tool calls of one step: at once or in order, approved where that is needed, recorded."""

import asyncio
from collections.abc import Sequence
from decimal import Decimal
from typing import Final, TypeAlias

import msgspec
import structlog
from msgspec.structs import replace

from cartrita.agents.assignment import ApprovalsNeeded, Assignment
from cartrita.agents.deadline import Deadline
from cartrita.agents.output_bounds import bounded_attachments, bounded_sources
from cartrita.agents.run_context import RunContext
from cartrita.agents.tool_approvals import NOBODY, is_approval_needed, new_approval, refusal_of
from cartrita.domain import costs
from cartrita.domain.approvals import Approval, hash_arguments
from cartrita.domain.begun_work import with_unknown
from cartrita.domain.desktop_errors import ActionBrokeOff, ActionRefused
from cartrita.domain.errors import CartritaError, LeaseLost
from cartrita.domain.events import (
    Event,
    SourceFound,
    TaskProgressed,
    ToolReturned,
)
from cartrita.domain.ledger import ToolSpending
from cartrita.domain.messages import Text, ToolCall, ToolResult
from cartrita.domain.step_places import StepPlace
from cartrita.domain.step_records import (
    UNKNOWN,
    UNKNOWN_RESULT,
    StepRecord,
    StepState,
    ToolBegun,
    ToolSaid,
)
from cartrita.kit.at_once import all_of
from cartrita.kit.text import shortened, storable_text
from cartrita.tools.tool import AgentStuck, Risk, Tool, ToolContext, ToolOutput

log = structlog.get_logger(__name__)

_Outcome: TypeAlias = ToolSaid | ApprovalsNeeded

_STOPPED: Final = "It was stopped: the time of this answer is used up."
_NOT_BEGUN: Final = "It was not begun: the time of this answer is used up."
_FAILED: Final = "The tool failed inside the server."
_HALTED: Final = ToolSaid(
    "Not executed: an earlier computer action in this turn failed.",  # the words of Anthropic
    False,
)
_MALFORMED: Final = (
    "It was not done: the arguments of this call were no JSON object, or were cut off before their "
    "end. If they were long, write less in one call. Call the tool again with a whole JSON object."
)


class PlacedCall(msgspec.Struct, frozen=True):
    """A call with its place in the run."""

    place: StepPlace
    call: ToolCall


class ToolRunner:
    """Runs the tools of one assignment."""

    def __init__(self, run: RunContext, assignment: Assignment, deadline: Deadline) -> None:
        """A tool that runs at the deadline is ended, and none begins after it."""
        self._run = run
        self._assignment = assignment
        self._deadline = deadline
        self._spent: dict[StepPlace, Decimal] = {}
        """What the calls that are being made have spent in US dollars."""
        self.cost = 0.0
        """What the calls of this assignment have spent."""
        self._slots = asyncio.Semaphore(assignment.agent.limits.parallel)

    async def results(self, calls: Sequence[PlacedCall]) -> list[ToolResult]:
        """The results of these calls in their order; what is stored is not run again.

        They are made at once if all of their tools allow that. Raises ApprovalsNeeded when all that
        needs no approval is done, and LeaseLost.
        """
        tools = [self._assignment.tools.find(one.call.name) for one in calls]
        if all(tool is None or tool.parallel for tool in tools):
            outcomes = await all_of([self._outcome(one) for one in calls])
        else:
            outcomes = await self._in_order(calls)
        asked = [
            one for each in outcomes if isinstance(each, ApprovalsNeeded) for one in each.asked
        ]
        if asked:
            raise ApprovalsNeeded(tuple(asked))
        return [
            _result(one.call, said)
            for one, said in zip(calls, outcomes, strict=True)
            if isinstance(said, ToolSaid)
        ]

    async def _in_order(self, calls: Sequence[PlacedCall]) -> list[_Outcome]:
        """One after the other, up to the first that has to wait."""
        outcomes: list[_Outcome] = []
        halted: set[str] = set()
        for one in calls:
            name = one.call.name
            outcome = await (self._halt(one) if name in halted else self._outcome(one))
            outcomes.append(outcome)
            if isinstance(outcome, ApprovalsNeeded):
                break
            tool = self._assignment.tools.find(name)
            if tool is not None and tool.halts and not outcome.success:
                halted.add(name)
        return outcomes

    async def _halt(self, one: PlacedCall) -> _Outcome:
        """A call that is not made, because one before it failed."""
        record = self._run.steps.find(one.place)
        return await (self._end(one, _HALTED) if record is None else self._outcome(one))

    async def _outcome(self, one: PlacedCall) -> _Outcome:
        record = self._run.steps.find(one.place)
        if record is not None and isinstance(record.output, ToolSaid):
            self.cost = costs.add(self.cost, record.output.cost or 0.0)
            return record.output
        if record is None:
            async with self._slots:
                return await self._run_tool(one)
        tool = self._assignment.tools.find(one.call.name)  # begun before a crash, or a wait
        if tool is None or self._acts(one, tool) or record.may_have_acted:
            return await self._end(one, UNKNOWN, state=StepState.UNKNOWN)
        async with self._slots:
            return await self._call(one, tool)

    async def _run_tool(self, one: PlacedCall) -> _Outcome:
        if one.call.malformed:
            return await self._end(one, ToolSaid(one.call.problem or _MALFORMED, False))
        tool = self._assignment.tools.find(one.call.name)
        if tool is None:
            known = ", ".join(tool.name for tool in self._assignment.tools) or "none"
            text = f"There is no tool {one.call.name[:80]}; there are: {known}."
            return await self._end(one, ToolSaid(text, False))
        if self._deadline.passed:
            return await self._end(one, ToolSaid(_NOT_BEGUN, False))
        return await self._decided(one, tool)

    async def _decided(self, one: PlacedCall, tool: Tool) -> _Outcome:
        """Make a call, once a person has allowed it if one is to be asked.

        What was asked stays asked, however risky it is now: where a run goes on, that may not be
        known as well as where it asked.
        """
        approval = self._run.approvals.get(one.place)
        risk = tool.risk_of(self._run.claim.run_id, one.call.arguments)
        asks = is_approval_needed(self._run.policy(self._assignment.agent), risk)
        if approval is None and asks and tool.allows(self._run.principal):
            if self._run.answerable:
                return await self._ask(one, tool)
            return await self._end(one, ToolSaid(NOBODY, False))
        if approval is not None and (refusal := refusal_of(one.call, approval)):
            return await self._end(one, ToolSaid(refusal, False))
        if approval is None and risk is Risk.READ:
            return await self._call(one, tool)
        return await self._announce(one, tool, approval)

    async def _ask(self, one: PlacedCall, tool: Tool) -> _Outcome:
        """What a person is asked before a call is made, unless it cannot be done at all."""
        if (wrong := tool.wrong(one.call.arguments)) is not None:
            return await self._end(one, ToolSaid(wrong, False))
        shown = None
        if tool.shown is not None:
            try:
                shown = await tool.shown(self._context(one), one.call.arguments)
            except ActionRefused as refused:
                return await self._end(one, ToolSaid(f"Nothing was done. {refused.message}", False))
            except CartritaError as error:
                log.info("approval_shows_nothing", tool=tool.name, code=error.code)
        asked = new_approval(self._run, self._assignment.agent, one.place, one.call, shown)
        return ApprovalsNeeded(((asked, self._assignment.task_id),))

    async def _announce(self, one: PlacedCall, tool: Tool, approval: Approval | None) -> _Outcome:
        """Call a tool that acts, or was approved, once the log says that it is called."""
        acts = self._acts(one, tool)
        begun = ToolBegun(one.call.call_id, one.call.name, self._assignment.task_id, acts)
        await self._run.unfinished.begin_call(_intent(one, begun, approval))
        return await self._call(one, tool)

    async def _call(self, one: PlacedCall, tool: Tool) -> _Outcome:
        try:
            output = await self._output(one, tool)
        except TimeoutError:
            return await self._end_late(one, tool)
        except ActionBrokeOff as error:
            unknown = ToolSaid(f"{error.message} {UNKNOWN_RESULT}", False)
            return await self._end(one, unknown, state=StepState.UNKNOWN)
        except ApprovalsNeeded as needed:
            return needed
        said, events = self._said(tool, output)
        if self._run.approvals.get(one.place) is not None:  # one that was denied comes to no call
            said = replace(said, approved=True)
        return await self._end(one, said, events)

    async def _end_late(self, one: PlacedCall, tool: Tool) -> _Outcome:
        """Record that its time was over, with all that was being done for it."""
        self._run.unfinished.stop(one.place)
        if self._acts(one, tool):
            return await self._end(one, UNKNOWN, state=StepState.UNKNOWN)
        late = _STOPPED if self._deadline.passed else f"It took longer than {tool.timeout_s:g} s."
        unknown = self._run.journal.answer.begun.unknown_in(one.place)
        return await self._end(one, ToolSaid(with_unknown(late, unknown), False))

    async def _output(self, one: PlacedCall, tool: Tool) -> ToolOutput:
        """What the tool gives; its errors are results.

        Raises TimeoutError, ApprovalsNeeded and ActionBrokeOff.
        """
        try:
            tool.require(self._run.principal)
            async with asyncio.timeout(self._deadline.within(tool.timeout_s)):
                return await tool.run(self._context(one), one.call.arguments)
        except (LeaseLost, AgentStuck, ApprovalsNeeded, ActionBrokeOff, TimeoutError):
            raise
        except CartritaError as error:
            return ToolOutput(error.message, success=False)
        except Exception:
            log.exception("tool_failed", tool=tool.name, run_id=self._run.claim.run_id.hex)
            self._run.unfinished.stop(one.place)
            if self._acts(one, tool):  # it may be done
                raise ActionBrokeOff(_FAILED) from None
            return ToolOutput(_FAILED, success=False)

    def _said(self, tool: Tool, output: ToolOutput) -> tuple[ToolSaid, list[Event]]:
        """The result as the model reads it, and the events of new sources."""
        listed, new = self._run.sources.add(bounded_sources(output.sources, tool.output_max_chars))
        text = storable_text(shortened(output.text, tool.output_max_chars))
        text = f"{text}\n\nSources:\n{listed}" if listed else text
        said = ToolSaid(text, output.success, bounded_attachments(output.attachments))
        return said, [SourceFound(citation, self._assignment.task_id) for citation in new]

    async def _end(
        self,
        one: PlacedCall,
        said: ToolSaid,
        events: Sequence[Event] = (),
        *,
        state: StepState = StepState.DONE,
    ) -> ToolSaid:
        """Record how a call ended, in one transaction with its events."""
        spent = self._spent.pop(one.place, None)
        if spent is not None:
            said = replace(said, cost=float(spent))
            self.cost = costs.add(self.cost, float(spent))
        task_id = self._assignment.task_id
        returned = ToolReturned(
            one.call.call_id,
            one.call.name,
            said.text,
            said.success,
            task_id,
            said.cost,
            unknown=state is StepState.UNKNOWN,
        )
        record = StepRecord(place=one.place, state=state, output=said)
        await self._run.unfinished.end_call(record, [returned, *events])
        return said

    def _acts(self, one: PlacedCall, tool: Tool) -> bool:
        """Whether a call may change something, so that it is never made again."""
        return tool.risk_of(self._run.claim.run_id, one.call.arguments) is not Risk.READ

    def _context(self, one: PlacedCall) -> ToolContext:
        run = self._run

        async def progress(status: str, share: float | None) -> None:
            told = self._assignment.task_id or one.call.call_id
            await run.journal.append(TaskProgressed(told, storable_text(status)[:500], share))

        def spend(cost: Decimal) -> None:
            self._spent[one.place] = self._spent.get(one.place, Decimal(0)) + cost

        return ToolContext(
            principal=run.principal,
            run_id=run.claim.run_id,
            conversation_id=run.claim.conversation_id,
            place=one.place,
            call_id=one.call.call_id,
            progress=progress,
            spending=ToolSpending(
                run.claim.part(self._assignment.agent.id, self._assignment.task_id), spend
            ),
            vendor=one.call.vendor,
            approval=run.approvals.get(one.place),
            left=lambda: self._deadline.left,
        )


def _intent(one: PlacedCall, begun: ToolBegun, approval: Approval | None) -> StepRecord:
    return StepRecord(
        place=one.place,
        state=StepState.INTENT,
        output=begun,
        input_hash=hash_arguments(one.call.name, one.call.arguments),
        approval_id=None if approval is None else approval.id,
    )


def _result(call: ToolCall, said: ToolSaid) -> ToolResult:
    return ToolResult(
        call.call_id,
        (Text(said.text), *said.attachments),
        call.name,
        said.success,
        approved=said.approved,
    )

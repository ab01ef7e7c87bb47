"""What all agents that work for one run share."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import anyio
from msgspec.structs import replace

from cartrita.agents.agent import Agent
from cartrita.agents.assignment import AgentModel, Assignment
from cartrita.agents.journal import Journal
from cartrita.agents.registry import AgentRegistry
from cartrita.agents.sources import SourceList
from cartrita.agents.step import Step
from cartrita.domain.approvals import ApprovalPolicy
from cartrita.domain.caps import Caps
from cartrita.domain.events import TaskCompleted, TaskStarted, UsageRecorded
from cartrita.domain.ports.tokens import TokenCounter
from cartrita.domain.principals import Principal
from cartrita.domain.runs import Claim
from cartrita.domain.step_places import StepPlace
from cartrita.domain.step_records import StoredSteps, ToolBegun
from cartrita.gateway.metering import CostOf
from cartrita.tools.toolbox import Toolbox


class RunContext:
    """One run that is being executed: what it has, what it has used, and what it is doing now."""

    def __init__(
        self,
        claim: Claim,
        journal: Journal,
        *,
        principal: Principal,
        agents: AgentRegistry,
        tools: Toolbox,
        model_of: Callable[[Agent], Awaitable[AgentModel]],
        cost: CostOf,
        counter: TokenCounter,
        answerable: bool,
        approval_s: float,
        caps: Caps | None = None,
        clock: Callable[[], float] = anyio.current_time,
    ) -> None:
        """`model_of` finds what answers for an agent. `answerable` tells whether somebody can
        decide on approvals, for which there are `approval_s` seconds. `caps` are those of the agent
        that answers: all that work for it use up its tokens, money and time.
        """
        self.claim = claim
        self.journal = journal
        self.principal = principal
        self.agents = agents
        self.tools = tools
        self.model_of = model_of
        self.counter = counter
        self.answerable = answerable
        self.clock = clock
        self.steps = StoredSteps(claim.steps)
        self.approvals = {approval.place: approval for approval in claim.approvals}
        self.sources = SourceList(claim.logged)
        self.started_tasks = {e.task_id for e in claim.logged if isinstance(e, TaskStarted)}
        self.ended_tasks = {e.task_id for e in claim.logged if isinstance(e, TaskCompleted)}
        self.open_steps: dict[StepPlace, tuple[Step, Assignment]] = {}
        """The model calls that are being made."""
        self.promised_steps: set[str] = set()
        """The tasks that have begun, and have not made their first model call."""
        self.acting: dict[StepPlace, ToolBegun] = {}
        """The calls of tools that act, and have begun."""
        self.clean = True
        """Whether nothing was said since the last stored step, so that the run can go on later."""
        self._cost = cost
        self._caps = replace(caps or Caps(), steps=None).tightened(claim.input.caps)
        self._approval_s = approval_s
        self.started_at = clock() - claim.worked_s
        """When it began, by `clock`, as if nothing but work had come since."""

    def policy(self, agent: Agent) -> ApprovalPolicy:
        """Which calls of an agent a person decides on in this run."""
        return agent.approval.tightened(self.claim.input.approval)

    def expiry(self) -> datetime:
        """Until when a person can decide on what is asked now."""
        return datetime.now(UTC) + timedelta(seconds=self._approval_s)

    def measured(self, assignment: Assignment, used: UsageRecorded) -> UsageRecorded:
        """What a model call used, with who made it, and what it cost in US dollars."""
        model = assignment.model
        cost = self._cost(model.provider.name, model.model, used.usage)
        return replace(
            used,
            agent=assignment.agent.id,
            task_id=assignment.task_id,
            cost=None if cost is None else float(cost),
        )

    @property
    def cap_reached(self) -> str | None:
        """Which cap of the run is used up by all of its agents together.

        Steps that are being made, or are promised to tasks, count as made.
        """
        answer = self.journal.answer
        return self._caps.reached(
            steps=answer.calls + len(self.open_steps) + len(self.promised_steps),
            tokens=answer.usage.total_tokens,
            cost=answer.cost,
            seconds=self.clock() - self.started_at,
        )

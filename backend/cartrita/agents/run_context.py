"""What all agents that work for one run share."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

import anyio
from msgspec.structs import replace

from cartrita.agents.agent import Agent
from cartrita.agents.assignment import AgentModel, Assignment, Conclusion
from cartrita.agents.journal import Journal
from cartrita.agents.sources import SourceList
from cartrita.agents.team import Team
from cartrita.agents.unfinished import Unfinished
from cartrita.domain.approvals import ApprovalPolicy
from cartrita.domain.caps import Caps
from cartrita.domain.events import UsageRecorded
from cartrita.domain.ports.tokens import TokenCounter
from cartrita.domain.principals import Principal
from cartrita.domain.runs import Claim
from cartrita.domain.scopes import Operation
from cartrita.domain.step_places import StepPlace
from cartrita.domain.step_records import StoredSteps
from cartrita.gateway.metering import CostsOf
from cartrita.gateway.pricing import total_of

Work: TypeAlias = Callable[["RunContext", Assignment], Awaitable[Conclusion]]
"""Does an assignment within a run. Raises CartritaError and ApprovalsNeeded."""


class RunContext:
    """One run that is being executed: what it has, and what it has used."""

    def __init__(
        self,
        claim: Claim,
        journal: Journal,
        unfinished: Unfinished,
        *,
        started_at: float,
        principal: Principal,
        team: Team,
        work: Work,
        model_of: Callable[[Agent, StepPlace], Awaitable[AgentModel]],
        costs: CostsOf,
        counter: TokenCounter,
        answerable: bool,
        approval_s: float,
        caps: Caps,
    ) -> None:
        """`started_at` is when the run began, by `clock`, as if nothing but work had come since.

        `work` does the assignments of tasks, and `model_of` finds what answers for an agent
        that does the task of a call.
        `answerable` tells whether somebody can decide on approvals, for which there are
        `approval_s` seconds. `caps` are those of the agent that answers: all that work for it use
        up its tokens, money and time.
        """
        self.claim = claim
        self.journal = journal
        self.unfinished = unfinished
        self.principal = principal
        self.team = team
        self.work = work
        self.model_of = model_of
        self.counter = counter
        self.answerable = answerable
        self.clock = anyio.current_time
        self.started_at = started_at
        self.steps = StoredSteps(claim.steps)
        self.approvals = {approval.place: approval for approval in claim.approvals}
        self.sources = SourceList(claim.logged)
        self._costs = costs
        self._caps = replace(caps, steps=None).tightened(claim.input.caps)
        self._approval_s = approval_s

    def policy(self, agent: Agent) -> ApprovalPolicy:
        """Which calls of an agent a person decides on in this run."""
        given, own = self.claim.input, agent.approval
        if given.loosened_to is not None and agent.id == given.agent and self._may_loosen:
            own = given.loosened_to
        return own.tightened(given.approval)

    @property
    def _may_loosen(self) -> bool:
        """Whether the key may still do what it could when the run was asked for."""
        return self.principal.scopes.allows_operation(Operation.DESKTOP_NEVER)

    def expiry(self) -> datetime:
        """Until when a person can decide on what is asked now."""
        return datetime.now(UTC) + timedelta(seconds=self._approval_s)

    def measured(
        self,
        used: UsageRecorded,
        answered_by: tuple[str, str],
        agent: str,
        task_id: str | None = None,
    ) -> UsageRecorded:
        """What a model call used, with who made it, and what it cost in US dollars.

        The price is that of the model that answered, at its provider, if others failed before.
        """
        provider, model = answered_by
        cost = total_of(self._costs(provider, model, used.usage, self.principal.tenant_id))
        return replace(
            used,
            agent=agent,
            task_id=task_id,
            cost=None if cost is None else float(cost),
        )

    @property
    def seconds(self) -> float:
        """How long the run has been worked on."""
        return self.clock() - self.started_at

    @property
    def cap_reached(self) -> str | None:
        """Which cap of the run is used up by all of its agents together.

        Steps that are being made, or are promised to tasks, count as made.
        """
        answer = self.journal.answer
        return self._caps.reached(
            steps=answer.calls + self.unfinished.steps,
            tokens=answer.usage.total_tokens,
            cost=answer.cost,
            seconds=self.seconds,
        )

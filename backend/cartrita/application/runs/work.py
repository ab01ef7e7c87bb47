"""The work of a run: its agent, its models, its history and its tools, put together."""

from functools import partial
from typing import Final, Protocol

import anyio

from cartrita.agents.agent import Agent
from cartrita.agents.assignment import AgentModel, ApprovalsNeeded, Assignment
from cartrita.agents.delegation import toolbox_of
from cartrita.agents.loop import work
from cartrita.agents.registry import AgentRegistry
from cartrita.agents.run_context import RunContext
from cartrita.agents.sources import SourceList
from cartrita.agents.team import Team
from cartrita.application.files.context import FileContext
from cartrita.application.files.shown_files import ShownFiles
from cartrita.application.history.history import History
from cartrita.application.history.summarizer import RunSummarizer
from cartrita.application.keys.brought_keys import ProviderKeyGone, is_brought
from cartrita.application.model_choice import AgentModelChoice, choose_for
from cartrita.application.runs.active_runs import ActiveRun
from cartrita.domain import endings
from cartrita.domain.api_keys import ActiveKey
from cartrita.domain.continued_answers import Beginning, beginning_of, events_of
from cartrita.domain.errors import CartritaError, Forbidden, LeaseLost
from cartrita.domain.events import Event, ProviderAwaited
from cartrita.domain.message_steps import steps_with_results
from cartrita.domain.messages import Text
from cartrita.domain.models import OFFLINE
from cartrita.domain.ports.providers import ModelProvider
from cartrita.domain.ports.runs import RunWriter
from cartrita.domain.ports.tokens import TokenCounter
from cartrita.domain.principals import Principal
from cartrita.domain.run_parts import RunPart
from cartrita.domain.runs import Claim, Ending
from cartrita.domain.step_places import StepPlace
from cartrita.domain.token_estimates import RuleCounter
from cartrita.gateway.gateway import Gateway
from cartrita.gateway.gateway_provider import Caller
from cartrita.gateway.metering import CostsOf, unknown_costs
from cartrita.gateway.routes import Deployment
from cartrita.gateway.routing import Choice
from cartrita.tools.toolbox import Toolbox

_TOOLS_END_S: Final = 5.0
"""For tools to end what they began: a run does not go on for those that cannot."""


class KeyLookup(Protocol):
    """Looks up API keys: see `KeyAuthentication.active`."""

    async def active(self, owner_id: str, key_id: str) -> ActiveKey | None: ...


class RunWork:
    """Does what claimed runs ask for."""

    def __init__(
        self,
        writer: RunWriter,
        history: History,
        gateway: Gateway,
        agents: AgentRegistry,
        models: AgentModelChoice,
        *,
        tools: Toolbox | None = None,
        counter: TokenCounter | None = None,
        keys: KeyLookup | None = None,
        costs: CostsOf = unknown_costs,
        approval_s: float = 3600.0,
        unpriced: bool = True,
        summary_model: str | None = None,
        summary_s: float | None = None,
        files: FileContext | None = None,
    ) -> None:
        """`keys` tells what the key that asked for a run may do now; without it, everything.

        Approvals can be decided on for `approval_s` seconds. Without `unpriced`, no models whose
        price is not known work under a cap on cost. A long history is summarised in at
        most `summary_s`, by the model or route of this name; without the seconds it is not. With
        `files`, models see those that results of tools name.
        """
        self._writer = writer
        self._history = history
        self._gateway = gateway
        self._agents = agents
        self._tools = Toolbox() if tools is None else tools
        self._models = models
        self._counter = counter or RuleCounter()
        self._keys = keys
        self._costs = costs
        self._approval_s = approval_s
        self._unpriced = unpriced
        self._summary_model = summary_model
        self._summary_s = summary_s
        self._files = files

    async def answer(self, run: ActiveRun) -> Ending:
        """Do the work of a run until its end. Raises CartritaError and ApprovalsNeeded.

        Tools are told of the end, unless it waits for a person.
        """
        try:
            ending = await self._answer(run)
        except ApprovalsNeeded:
            raise
        except BaseException:
            await self.end_tools(run)
            raise
        await self.end_tools(run)
        return ending

    async def _answer(self, run: ActiveRun) -> Ending:
        claim = run.claim
        principal = await self._principal(claim)
        agent = self._agents.find_of_run(claim.input.agent)
        context = RunContext(
            claim,
            run.journal,
            run.unfinished,
            started_at=run.started_at,
            principal=principal,
            team=await Team.of(agent, self._agents, self._tools),
            work=work,
            model_of=partial(self._model_of, run, principal),
            costs=self._costs,
            counter=self._counter,
            answerable=claim.input.answerable,
            approval_s=self._approval_s,
            caps=agent.limits.caps,
        )
        given = claim.input
        begins: list[Event] = []
        if not run.answer.seen and (given.done or given.prefix):
            begins = events_of(given.done or (Text(given.prefix),))
            context.sources = SourceList(begins)
        assignment = await self._assignment(run, context, agent, principal)
        if begins:
            run.journal.record(begins, [])
        self._writer.require(claim.run_id)
        concluded = await work(context, assignment)
        return endings.completed(
            claim,
            run.answer,
            concluded.reason,
            context.seconds,
            concluded.stop_sequence,
            concluded.vendor_reason,
            concluded.cap,
        )

    async def end_tools(self, run: ActiveRun) -> None:
        """Tell tools that it is over. Where it goes on elsewhere, they are used there, and nobody
        else ends that.
        """
        if not run.goes_on and not self._is_lost(run):
            with anyio.move_on_after(_TOOLS_END_S, shield=True):
                called = run.answer.begun.tools
                await self._tools.end_run(run.claim.conversation_id, run.claim.run_id, called)

    def _is_lost(self, run: ActiveRun) -> bool:
        """Whether another server has the run now. One that cannot be stored is none of those."""
        try:
            self._writer.require(run.claim.run_id)
        except CartritaError as error:
            return isinstance(error, LeaseLost)
        return False

    async def _assignment(
        self, run: ActiveRun, context: RunContext, agent: Agent, principal: Principal
    ) -> Assignment:
        claim = run.claim
        choice = Choice(Deployment(claim.input.provider, claim.input.model), claim.input.route)
        self._models.require_able(agent, choice)
        part = claim.part(agent.id, prompt=agent.prompt)
        model = self._model(run, principal, choice, part)
        said = claim.input.prefix
        begins = beginning_of(claim.input.done) or Beginning()
        tools = toolbox_of(agent, context) if model.takes_tools else Toolbox()
        summarizer = await self._summarizer(run, context, choice)
        # The built-in model quotes files and cites them itself.
        sources = None if choice.deployment.provider == OFFLINE else context.sources
        request = await self._history.build_request(
            claim, context.team.instructed_leader(tools), summarizer, sources
        )
        return Assignment(
            agent=agent,
            model=model,
            request=request,
            tools=tools,
            caps=agent.limits.caps.tightened(claim.input.caps),
            done=steps_with_results(begins.steps),
            said=said,
            continuing=self._model(run, principal, choice, part, said).provider if said else None,
        )

    async def _summarizer(
        self, run: ActiveRun, context: RunContext, answering: Choice
    ) -> RunSummarizer | None:
        """What summarises the history: the model that is set, or else the one that answers."""
        if self._summary_s is None:
            return None
        principal = context.principal
        choice = await choose_for(self._gateway, self._summary_model, principal, answering)
        if choice.deployment.provider == OFFLINE:  # it summarises nothing
            return None
        model = self._model(run, principal, choice, run.claim.part(run.claim.started.agent))
        return RunSummarizer(context, model, self._summary_s)

    async def _model_of(
        self, run: ActiveRun, principal: Principal, agent: Agent, place: StepPlace
    ) -> AgentModel:
        """What answers an agent for a task: its route, else what answers the run."""
        given = run.claim.input
        answering = Choice(Deployment(given.provider, given.model), given.route)
        choice = await self._models.own(agent, principal, answering)
        part = run.claim.part(agent.id, place.task_id, agent.prompt)
        return self._model(run, principal, choice, part)

    def _model(
        self, run: ActiveRun, principal: Principal, choice: Choice, part: RunPart, said: str = ""
    ) -> AgentModel:
        claim = run.claim
        caller = Caller(
            surface=claim.surface,
            key_id=claim.input.key_id,
            part=part,
            seconds=claim.seconds_left,
            said=said,
            on_pause=partial(self.tell_pause, run),
            before_attempt=partial(self._writer.require, claim.run_id),
            tenant_id=principal.tenant_id,
            scopes=principal.scopes,
            priced_only=not self._unpriced and self._has_cost_cap(claim, part),
        )
        provider: ModelProvider = self._gateway.provider_for(
            choice.deployment, route=choice.route, caller=caller
        )
        if self._files is not None:
            provider = ShownFiles(provider, self._files)
        return AgentModel(
            provider=provider,
            model=choice.deployment.model,
            profile=self._gateway.profile(choice.deployment),
        )

    def _has_cost_cap(self, claim: Claim, part: RunPart) -> bool:
        """Whether the answer has a cap on cost, or the agent that works on this part of it."""
        agents = map(self._agents.find_of_run, {claim.input.agent, part.agent})
        caps = (claim.input.caps, *(one.limits.caps for one in agents))
        return any(one.cost is not None for one in caps)

    async def tell_pause(
        self, run: ActiveRun, provider: str, seconds: float, position: int
    ) -> None:
        """Tell the reader that the run waits for a provider."""
        await run.journal.append(ProviderAwaited(provider, round(seconds, 3), position))

    async def _principal(self, claim: Claim) -> Principal:
        """Who asked for a run, as the key is now. Raises Forbidden if it does not work any more."""
        key_id = claim.input.key_id
        if self._keys is None or key_id is None:
            return Principal(claim.owner_id, key_id or "")
        key = await self._keys.active(claim.owner_id, key_id)
        if key is None and is_brought(key_id):
            raise ProviderKeyGone
        if key is None:
            raise Forbidden(
                "The API key that asked for this answer does not work any more; try again with "
                "another one.",
                code="key_ended",
            )
        return key.principal

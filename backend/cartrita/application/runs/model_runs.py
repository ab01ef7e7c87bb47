"""Runs for model requests: what the surfaces of the vendors store, continue and read again."""

from typing import Final

import msgspec

from cartrita.agents.agent import NO_AGENT
from cartrita.agents.registry import AgentRegistry
from cartrita.application.conversations.conversations import Conversations
from cartrita.application.conversations.placement import Placement, place, regrouped
from cartrita.application.conversations.titles import UNTITLED, derive_title
from cartrita.application.files.context import FileContext
from cartrita.application.model_choice import AgentModelChoice
from cartrita.application.runs.runs import Runs
from cartrita.domain.errors import Conflict, InvalidInput
from cartrita.domain.ids import ConversationId, MessageId
from cartrita.domain.json import JsonObject
from cartrita.domain.message_steps import split_steps
from cartrita.domain.messages import Message, Role, StoredMessage, Text
from cartrita.domain.ports.conversations import MessageStore
from cartrita.domain.ports.runs import RunAdmission, RunRemoval
from cartrita.domain.principals import Principal
from cartrita.domain.requests import ModelRequest
from cartrita.domain.runs import (
    Admission,
    Admitted,
    BusyPolicy,
    Idempotency,
    NewMessage,
    Run,
    RunInput,
)
from cartrita.kit import ids

BRANCH_MAX: Final = 2000
"""How many of the latest messages of a conversation a request is compared with."""
MESSAGES_MAX: Final = 10_000
"""The most messages that one request may bring to be stored."""
_TRIES = 3


class ModelCommand(msgspec.Struct, frozen=True, kw_only=True):
    """A model request to be answered by a run.

    `request` is as the dialect parsed it: its model as the caller wrote it, `provider` if the
    caller named one apart. With an `agent`, this one answers by its own model.

    `conversation_id` None makes a conversation; one that does not exist yet gets this id as its
    external id. `previous` is the public id of a run whose answer the request follows, instead.
    `metadata` and `echo` are kept in the run's input, because they belong to one answer, and a
    conversation may hold many; the last message that the request brings has the `metadata`, too.
    `answerable` tells whether the surface lets somebody decide on approvals.
    """

    surface: str
    request: ModelRequest
    provider: str | None = None
    agent: str | None = None
    conversation_id: str | None = None
    previous: str | None = None
    metadata: JsonObject = {}
    echo: JsonObject = {}
    busy: BusyPolicy | None = None
    answerable: bool = False


class _Where(msgspec.Struct, frozen=True):
    """A conversation, or the id of one to make, and the place of a request's messages in it."""

    placement: Placement
    conversation_id: ConversationId | None = None
    external_id: str | None = None


class ModelRuns:
    """Runs of model requests. Those of other owners raise NotFound like missing ones."""

    def __init__(
        self,
        runs: Runs,
        admission: RunAdmission,
        conversations: Conversations,
        messages: MessageStore,
        removal: RunRemoval,
        agents: AgentRegistry,
        models: AgentModelChoice,
        files: FileContext,
        *,
        busy: BusyPolicy = BusyPolicy.ENQUEUE,
        agent_context_tokens: int | None = None,
    ) -> None:
        """`agent_context_tokens` limits the history that agents are given; None does not."""
        self._runs = runs
        self._admission = admission
        self._conversations = conversations
        self._messages = messages
        self._removal = removal
        self._models = models
        self._agents = agents
        self._files = files
        self._busy = busy
        self._agent_context_tokens = agent_context_tokens

    async def start(
        self,
        principal: Principal,
        command: ModelCommand,
        idempotency: Idempotency | None = None,
    ) -> Admitted:
        """Store what is new of the request's messages and start (or queue) the run that answers.

        A request without a new message has its last one answered again, as a sibling. Raises
        InvalidInput, NotFound, Conflict, IdempotencyMismatch, Unavailable, Forbidden.
        """
        if not regrouped(command.request.messages):
            raise InvalidInput.of("messages", "send at least one message of a user")
        if len(command.request.messages) > MESSAGES_MAX:
            raise InvalidInput.of(
                "messages",
                f"a stored answer takes at most {MESSAGES_MAX} messages; send fewer, or ask for an "
                "answer that is not stored",
            )
        await self._files.require(principal.owner_id, command.request.messages)
        run_input = (await self._input(principal, command)).asked_with(principal.key_id)
        for _ in range(_TRIES):
            admission = await self._planned(principal, command, run_input, idempotency)
            try:
                return await self._admission.admit(admission)
            except Conflict as error:
                if error.code != "conversation_exists":
                    raise
        raise Conflict("Too many requests begin this conversation at once; try again.")

    async def input_messages(
        self, principal: Principal, run: str, limit: int
    ) -> list[StoredMessage]:
        """What a run answers: the messages of its branch up to the one it answers, newest first.

        Raises NotFound.
        """
        found = await self._runs.get(principal, run)
        return await self._messages.branch(principal.owner_id, found.user_message_id, limit)

    async def continued(
        self, principal: Principal, previous: Run, new: tuple[Message, ...]
    ) -> tuple[Message, ...]:
        """The history up to the answer of a run, and new messages after it, for a model.

        Raises Conflict if the run has not ended.
        """
        tip = await self._tip(principal, previous)
        branch = await self._messages.branch(principal.owner_id, tip, BRANCH_MAX)
        messages = split_steps((*(stored.message for stored in reversed(branch)), *new))
        return await self._files.filled(principal.owner_id, messages)

    async def delete(self, principal: Principal, run: str) -> None:
        """Delete a run, and its messages where nothing else depends on them.

        One that has not ended is cancelled first. A conversation that the run made is deleted with
        the last of its messages. Raises NotFound.
        """
        found = await self._runs.cancel(principal, run)
        if not found.status.ended:
            await self._runs.wait_for_end(found.id)
        emptied = await self._removal.remove(principal.owner_id, found.id)
        if emptied is not None:
            await self._conversations.delete(principal, ids.public("conv", emptied))

    async def _input(self, principal: Principal, command: ModelCommand) -> RunInput:
        request = command.request
        agent = NO_AGENT if command.agent is None else self._agents.find(command.agent)
        chosen = await (
            self._models.named(agent, principal, command.provider, request.model)
            if command.agent is None
            else self._models.own(agent, principal)
        )
        instructions = (*request.instructions, *_system_texts(request.messages))
        context_tokens = None if command.agent is None else self._agent_context_tokens
        return RunInput(
            version=2,
            agent=agent.id,
            provider=chosen.deployment.provider,
            model=chosen.deployment.model,
            route=chosen.route,
            instructions=instructions or None,
            sampling=request.sampling,
            tools=request.tools,
            tool_choice=request.tool_choice,
            parallel_tool_calls=request.parallel_tool_calls,
            response_format=request.response_format,
            reasoning=request.reasoning,
            user=request.user,
            origin=request.origin,
            vendor=request.vendor,
            strict=request.strict,
            metadata=command.metadata,
            echo=command.echo,
            context_tokens=context_tokens,
            answerable=command.answerable,
        )

    async def _planned(
        self,
        principal: Principal,
        command: ModelCommand,
        run_input: RunInput,
        idempotency: Idempotency | None,
    ) -> Admission:
        """The admission of the request as its conversation is now."""
        sent = command.request.messages
        where = await self._where(principal, command)
        placement = where.placement
        new = None
        if placement.new:
            new = NewMessage(
                message=placement.new[-1],
                before=placement.new[:-1],
                parent_id=placement.parent_id,
                at_root=placement.at_root,
                metadata=command.metadata,
            )
        return Admission(
            owner_id=principal.owner_id,
            caller_trace=principal.caller_trace,
            surface=command.surface,
            input=msgspec.structs.replace(run_input, brought=len(placement.new)),
            title=derive_title(_first_question(placement.new or sent)),
            untitled=UNTITLED,
            conversation_id=where.conversation_id,
            external_id=where.external_id,
            new_message=new,
            answer_to=placement.parent_id if new is None else None,
            busy=command.busy or self._busy,
            idempotency=idempotency,
        )

    async def _where(self, principal: Principal, command: ModelCommand) -> _Where:
        """The conversation of the request, and the place of its messages there."""
        new = regrouped(command.request.messages)
        if command.previous is not None:
            return await self._after(principal, command.previous, new)
        if command.conversation_id is None:
            return _Where(Placement(new))
        conversation = await self._conversations.find_or_name(principal, command.conversation_id)
        if isinstance(conversation, str):
            return _Where(Placement(new), external_id=conversation)
        branch: list[StoredMessage] = []
        if conversation.head_message_id is not None:
            branch = await self._messages.branch(
                principal.owner_id, conversation.head_message_id, BRANCH_MAX
            )
        return _Where(place(branch[::-1], new), conversation.id)

    async def _after(self, principal: Principal, previous: str, new: tuple[Message, ...]) -> _Where:
        """Below the answer of an earlier run, or below what it answers if it said nothing."""
        run = await self._runs.get(principal, previous)
        return _Where(Placement(new, await self._tip(principal, run)), run.conversation_id)

    async def _tip(self, principal: Principal, run: Run) -> MessageId:
        """The last message of a run that has ended. Raises Conflict."""
        if not run.status.ended:
            raise Conflict(
                f"The answer to continue is still {run.status}; wait for its end or cancel it.",
                code="previous_not_ended",
            )
        answer = await self._messages.get(principal.owner_id, run.message_id)
        return run.user_message_id if answer is None else answer.id


def _system_texts(messages: tuple[Message, ...]) -> list[Text]:
    """The instructions that stand between the messages."""
    system = (message.parts for message in messages if message.role is Role.SYSTEM)
    return [part for parts in system for part in parts if isinstance(part, Text)]


def _first_question(messages: tuple[Message, ...]) -> str:
    return next((message.text for message in messages if message.role is Role.USER), "")

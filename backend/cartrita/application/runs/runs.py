"""Runs: started, retried, continued, cancelled, read."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager

import msgspec

from cartrita.agents.registry import AgentRegistry
from cartrita.application.conversations.conversations import Conversations, find_message
from cartrita.application.conversations.titles import UNTITLED, derive_title
from cartrita.application.files.context import FileContext
from cartrita.application.model_choice import AgentModelChoice
from cartrita.application.runs.chat_commands import DEFAULT_SURFACE, ChatCommand, allowed_tools_of
from cartrita.domain.continued_answers import beginning_of
from cartrita.domain.errors import Conflict, NotFound, Unavailable
from cartrita.domain.events import LoggedEvent
from cartrita.domain.ids import MessageId, RunId
from cartrita.domain.messages import Message, Role, StoredMessage
from cartrita.domain.ports.conversations import MessageStore
from cartrita.domain.ports.runs import RunAdmission, RunCancellation, RunReader
from cartrita.domain.principals import Principal
from cartrita.domain.requests import asks_for_text
from cartrita.domain.runs import (
    Admission,
    Admitted,
    BusyPolicy,
    Idempotency,
    NewMessage,
    Run,
    RunInput,
    RunStatus,
    TailItem,
)
from cartrita.domain.scopes import Operation
from cartrita.gateway.gateway import Gateway
from cartrita.kit import ids
from cartrita.tools.toolbox import Toolbox


class LogExpired(Unavailable):
    """A log ended before its run did: this server stops, or the log was deleted."""

    default_code = "log_expired"

    def __init__(self) -> None:
        super().__init__("The end of this run is not in the log any more.")


class Runs:
    """Runs of the principal. Those of other owners raise NotFound like missing ones."""

    def __init__(
        self,
        admission: RunAdmission,
        cancellation: RunCancellation,
        reader: RunReader,
        conversations: Conversations,
        messages: MessageStore,
        gateway: Gateway,
        agents: AgentRegistry,
        models: AgentModelChoice,
        files: FileContext,
        *,
        tools: Toolbox | None = None,
        busy: BusyPolicy = BusyPolicy.ENQUEUE,
    ) -> None:
        self._tools = Toolbox() if tools is None else tools
        self._files = files
        self._admission = admission
        self._cancellation = cancellation
        self._reader = reader
        self._conversations = conversations
        self._messages = messages
        self._gateway = gateway
        self._agents = agents
        self._models = models
        self._busy = busy

    async def start(
        self,
        principal: Principal,
        command: ChatCommand,
        idempotency: Idempotency | None = None,
    ) -> Admitted:
        """Store a message and start (or queue) the run that answers it.

        Raises InvalidInput, NotFound, Conflict, IdempotencyMismatch, Unavailable, Forbidden.
        """
        allowed_tools = await allowed_tools_of(command, self._agents, self._tools)
        attached = await self._files.attached(principal.owner_id, command.attachments)
        message = Message(command.message.role, (*attached, *command.message.parts))
        conversation = None
        if command.conversation_id is not None:
            conversation = await self._conversations.get(principal, command.conversation_id)
        named = (command.agent, command.provider, command.model)
        return await self._admission.admit(
            Admission(
                owner_id=principal.owner_id,
                caller_trace=principal.caller_trace,
                surface=command.surface,
                input=msgspec.structs.replace(
                    await self._run_input(principal, *named),
                    instructions=command.instructions,
                    sampling=command.sampling,
                    context=command.context,
                    metadata=command.metadata,
                    caps=command.caps,
                    approval=command.approval,
                    loosened_to=command.loosened_to,
                    allowed_tools=allowed_tools,
                ).asked_with(principal.key_id),
                title=derive_title(command.message.text),
                untitled=UNTITLED,
                conversation_id=None if conversation is None else conversation.id,
                new_message=NewMessage(message=message, metadata=command.metadata),
                busy=command.busy or self._busy,
                client_msg_id=command.client_msg_id,
                idempotency=idempotency,
                last_words=command.last_words,
            )
        )

    async def require(
        self, principal: Principal, agent: str | None, provider: str | None, model: str | None
    ) -> None:
        """Raise what `start` would raise for these names. Nothing is started."""
        await self._run_input(principal, agent, provider, model)

    async def retry(
        self,
        principal: Principal,
        conversation: str,
        message: str,
        idempotency: Idempotency | None = None,
    ) -> Admitted:
        """Answer a message again; the new answer becomes a sibling of the old one."""
        stored = await self._message(principal, conversation, message)
        answered = stored.message.role is Role.ASSISTANT
        answer_to = stored.parent_id if answered else stored.id
        if answer_to is None:
            raise Conflict("This message answers nothing, so there is nothing to try again.")
        run_input = await self._input_of_last_run(principal, answer_to)
        return await self._admit_in_conversation(
            principal, stored, run_input, idempotency, answer_to=answer_to
        )

    async def edit(
        self,
        principal: Principal,
        conversation: str,
        message: str,
        text: str,
        idempotency: Idempotency | None = None,
    ) -> Admitted:
        """Answer a new version of a user's message, on a new branch beside the old one."""
        stored = await self._message(principal, conversation, message)
        if stored.message.role is not Role.USER:
            raise Conflict("Only a user's message can be asked again in other words.")
        new = NewMessage(
            message=stored.message.reworded(text),
            parent_id=stored.parent_id,
            at_root=stored.parent_id is None,
            edited=True,
        )
        run_input = await self._input_of_last_run(principal, stored.id)
        return await self._admit_in_conversation(
            principal, stored, run_input, idempotency, new_message=new
        )

    async def continue_run(
        self, principal: Principal, run: str, idempotency: Idempotency | None = None
    ) -> Admitted:
        """Continue an answer that ended early, in a new run that begins with what it has.

        The steps that it did with tools are not done again.
        """
        ended = await self.get(principal, run)
        if ended.status not in _CONTINUABLE:
            raise Conflict(
                f"This run is {ended.status}; only an interrupted, failed or cancelled answer can "
                "be continued.",
                code="not_continuable",
            )
        partial = await self._messages.get(principal.owner_id, ended.message_id)
        begins = beginning_of(() if partial is None else partial.message.parts)
        given = await self._repeatable_input(principal, ended)
        if begins is None or (
            begins.text and not asks_for_text(given.response_format, given.sampling)
        ):
            raise Conflict(
                "This answer ended in more than text and cannot be continued; try it again "
                "instead.",
                code="not_continuable",
            )
        done = begins.parts if begins.steps or begins.sources else ()
        run_input = msgspec.structs.replace(given, prefix=begins.text, done=done)
        return await self._admission.admit(
            Admission(
                owner_id=principal.owner_id,
                surface=ended.surface,
                input=run_input.asked_with(principal.key_id),
                title="",
                conversation_id=ended.conversation_id,
                answer_to=ended.user_message_id,
                busy=BusyPolicy.REJECT,  # a double click must not queue a second answer
                idempotency=idempotency,
            )
        )

    async def get(self, principal: Principal, run: str) -> Run:
        """Find a run by its public id. Raises NotFound."""
        return await self._reader.get(principal.owner_id, _run_id(run))

    async def cancel(self, principal: Principal, run: str) -> Run:
        """Request cancellation; the partial answer is kept. Idempotent. Raises NotFound."""
        return await self._cancellation.cancel(principal.owner_id, _run_id(run))

    def tail(
        self, run_id: RunId, after: int
    ) -> AbstractAsyncContextManager[AsyncIterator[TailItem | None]]:
        """See RunReader.tail. The caller must have checked the owner of the run."""
        return self._reader.tail(run_id, after)

    async def wait_for_end(self, run_id: RunId) -> LoggedEvent:
        """The terminal event of a run. Raises LogExpired if this server stops before it."""
        async with self._reader.tail(run_id, 0) as events:
            async for event in events:
                if isinstance(event, LoggedEvent) and event.terminal:
                    return event
        raise LogExpired

    async def _run_input(
        self,
        principal: Principal,
        agent: str | None = None,
        provider: str | None = None,
        model: str | None = None,
    ) -> RunInput:
        """The input of a run by these names; None selects the default, or that of the agent."""
        found = self._agents.find(agent)
        chosen = await self._models.named(found, principal, provider, model)
        return RunInput(
            version=1 if chosen.route is None else 2,
            agent=found.id,
            provider=chosen.deployment.provider,
            model=chosen.deployment.model,
            route=chosen.route,
        )

    async def _input_of_last_run(
        self, principal: Principal, user_message_id: MessageId
    ) -> RunInput:
        """The input of the run that last answered a message; the defaults if it was deleted."""
        run = await self._reader.latest(principal.owner_id, user_message_id)
        if run is None:
            return await self._run_input(principal)
        return await self._repeatable_input(principal, run)

    async def _repeatable_input(self, principal: Principal, run: Run) -> RunInput:
        """The input of a run as this caller can ask for it again. Raises Forbidden."""
        given = _readable_input(run)
        if principal.scopes.limited:
            asked = (None, given.route) if given.route else (given.provider, given.model)
            await self._gateway.choose(*asked, principal.scopes, principal.payer)
        if not principal.scopes.allows_operation(Operation.DESKTOP_NEVER):
            return msgspec.structs.replace(given, loosened_to=None)
        return given

    async def _admit_in_conversation(
        self,
        principal: Principal,
        stored: StoredMessage,
        run_input: RunInput,
        idempotency: Idempotency | None,
        *,
        new_message: NewMessage | None = None,
        answer_to: MessageId | None = None,
    ) -> Admitted:
        answerable = msgspec.structs.replace(run_input, answerable=True)
        return await self._admission.admit(
            Admission(
                owner_id=principal.owner_id,
                surface=DEFAULT_SURFACE,
                input=answerable.asked_with(principal.key_id),
                title="",
                conversation_id=stored.conversation_id,
                new_message=new_message,
                answer_to=answer_to,
                idempotency=idempotency,
            )
        )

    async def _message(
        self, principal: Principal, conversation: str, message: str
    ) -> StoredMessage:
        found = await self._conversations.get(principal, conversation)
        return await find_message(self._messages, principal, found, message)


_CONTINUABLE = frozenset({RunStatus.INTERRUPTED, RunStatus.FAILED, RunStatus.CANCELLED})


def _readable_input(run: Run) -> RunInput:
    """The input of a run as another run can have it."""
    if run.input is None:
        raise Unavailable(
            "A newer version of this server wrote this run, and this one cannot repeat it: "
            "finish the upgrade, then try again.",
            code="newer_version",
        )
    return msgspec.structs.replace(run.input, prefix="", done=(), brought=0)


def _run_id(text: str) -> RunId:
    value = ids.parse("run", text)
    if value is None:
        raise NotFound.of("run")
    return RunId(value)

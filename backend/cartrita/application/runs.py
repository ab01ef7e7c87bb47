"""Runs: asked for, watched, cancelled, continued."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager

import msgspec

from cartrita.agents import roster
from cartrita.application.titles import UNTITLED, title_of
from cartrita.domain.conversations import Conversation
from cartrita.domain.errors import Conflict, InvalidInput, NotFound, Unavailable
from cartrita.domain.events import LoggedEvent
from cartrita.domain.json import JsonObject
from cartrita.domain.messages import Message, Role, StoredMessage, Text
from cartrita.domain.ports import (
    ConversationStore,
    MessageStore,
    RunAdmission,
    RunCancellation,
    RunReader,
)
from cartrita.domain.principals import Principal
from cartrita.domain.requests import Sampling
from cartrita.domain.runs import (
    Admission,
    Admitted,
    BusyPolicy,
    Idempotency,
    NewMessage,
    Queued,
    Run,
    RunInput,
    RunStatus,
    Snapshot,
)
from cartrita.gateway.gateway import Gateway
from cartrita.kit import ids
from cartrita.kit.ids import MessageId, RunId

DEFAULT_SURFACE = "native"
"""Where a run came from, told for statistics; retries and edits exist on one surface only."""


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """What a caller wants answered, as every surface understands it.

    Names are as callers write them: public ids, `provider`, `model` or `provider/model`, agents by
    id or an accepted old name. None takes the default.
    """

    message: str
    surface: str = DEFAULT_SURFACE
    conversation_id: str | None = None
    client_msg_id: str | None = None
    provider: str | None = None
    model: str | None = None
    agent: str | None = None
    context: tuple[Message, ...] = ()
    sampling: Sampling = Sampling()
    tools: tuple[str, ...] = ()
    attachments: tuple[str, ...] = ()
    instructions: str | None = None
    metadata: JsonObject = {}
    busy: BusyPolicy | None = None


class Runs:
    """Use cases of runs. Every method sees what belongs to the principal and nothing else."""

    def __init__(
        self,
        admission: RunAdmission,
        cancellation: RunCancellation,
        reader: RunReader,
        conversations: ConversationStore,
        messages: MessageStore,
        gateway: Gateway,
        *,
        busy: BusyPolicy = BusyPolicy.ENQUEUE,
    ) -> None:
        self._admission = admission
        self._cancellation = cancellation
        self._reader = reader
        self._conversations = conversations
        self._messages = messages
        self._gateway = gateway
        self._busy = busy

    async def ask(
        self, principal: Principal, ask: Ask, idempotency: Idempotency | None = None
    ) -> Admitted:
        """Store a message and begin (or queue) the run that answers it.

        Raises InvalidInput, NotFound, Conflict, IdempotencyMismatch, Unavailable.
        """
        _refuse_unknown(ask)
        conversation = await self._conversation(principal, ask.conversation_id)
        return await self._admission.admit(
            Admission(
                owner_id=principal.owner_id,
                surface=ask.surface,
                input=await self._input(ask),
                title=title_of(ask.message),
                untitled=UNTITLED,
                conversation_id=None if conversation is None else conversation.id,
                new_message=NewMessage(message=_words(ask.message), metadata=ask.metadata),
                busy=ask.busy or self._busy,
                client_msg_id=ask.client_msg_id,
                idempotency=idempotency,
            )
        )

    async def retry(
        self,
        principal: Principal,
        conversation: str,
        message: str,
        idempotency: Idempotency | None = None,
    ) -> Admitted:
        """Answer once more: the new answer becomes a sibling of the old one."""
        stored = await self._message(principal, conversation, message)
        answer_to = stored.id if stored.message.role is Role.USER else stored.parent_id
        if answer_to is None:
            raise Conflict("This message answers nothing, so there is nothing to try again.")
        work = await self._work_of(principal, answer_to)
        return await self._admit_into(principal, stored, work, idempotency, answer_to=answer_to)

    async def edit(
        self,
        principal: Principal,
        conversation: str,
        message: str,
        text: str,
        idempotency: Idempotency | None = None,
    ) -> Admitted:
        """Say it differently: a branch begins beside the old message, and is answered."""
        stored = await self._message(principal, conversation, message)
        if stored.message.role is not Role.USER:
            raise Conflict("Only a user's message can be asked again in other words.")
        new = NewMessage(
            message=_words(text),
            parent_id=stored.parent_id,
            at_root=stored.parent_id is None,
            edited=True,
        )
        work = await self._work_of(principal, stored.id)
        return await self._admit_into(principal, stored, work, idempotency, new_message=new)

    async def resume(
        self, principal: Principal, run: str, idempotency: Idempotency | None = None
    ) -> Admitted:
        """Continue an answer that ended early: a new run repeats what was seen and goes on."""
        ended = await self.get(principal, run)
        if ended.status not in _CONTINUABLE:
            raise Conflict(
                f"This run is {ended.status}; only an interrupted, failed or cancelled answer can "
                "be continued.",
                code="not_continuable",
            )
        partial = await self._messages.get(principal.owner_id, ended.message_id)
        if partial is not None and not _plain(partial.message):
            raise Conflict(
                "This answer holds more than text and cannot be continued; try it again instead.",
                code="not_continuable",
            )
        said = "" if partial is None else partial.message.text
        work = msgspec.structs.replace(ended.input, prefix=said)
        return await self._admission.admit(
            Admission(
                owner_id=principal.owner_id,
                surface=ended.surface,
                input=work,
                title="",
                conversation_id=ended.conversation_id,
                answer_to=ended.user_message_id,
                busy=BusyPolicy.REJECT,  # an impatient second click is not a second answer
                idempotency=idempotency,
            )
        )

    async def get(self, principal: Principal, run: str) -> Run:
        """Raises NotFound."""
        return await self._reader.run(principal.owner_id, _run_id(run))

    async def cancel(self, principal: Principal, run: str) -> Run:
        """Ask for the end; what was seen is kept. Idempotent. Raises NotFound."""
        return await self._cancellation.cancel(principal.owner_id, _run_id(run))

    def tail(
        self, run_id: RunId, after: int
    ) -> AbstractAsyncContextManager[AsyncIterator[LoggedEvent | Queued | Snapshot | None]]:
        """See RunReader.tail. The caller has made sure whose run it is."""
        return self._reader.tail(run_id, after)

    async def outcome(self, run_id: RunId) -> LoggedEvent:
        """Wait for the run's last event. Raises Unavailable where this server stops first."""
        async with self._reader.tail(run_id, 0) as events:
            async for event in events:
                if isinstance(event, LoggedEvent) and event.terminal:
                    return event
        raise Unavailable("The end of this run is not in the log any more.", code="log_expired")

    async def _input(self, ask: Ask) -> RunInput:
        agent = roster.agent(ask.agent)
        target = await self._gateway.resolve(ask.provider, ask.model)
        return RunInput(
            agent=agent.id,
            provider=target.provider,
            model=target.model,
            instructions=ask.instructions,
            sampling=ask.sampling,
            context=ask.context,
        )

    async def _work_of(self, principal: Principal, user_message_id: MessageId) -> RunInput:
        """What the message was answered with; the defaults where its run is gone."""
        run = await self._reader.latest(principal.owner_id, user_message_id)
        if run is None:
            return await self._input(Ask(message=""))
        return msgspec.structs.replace(run.input, prefix="")

    async def _admit_into(
        self,
        principal: Principal,
        stored: StoredMessage,
        work: RunInput,
        idempotency: Idempotency | None,
        *,
        new_message: NewMessage | None = None,
        answer_to: MessageId | None = None,
    ) -> Admitted:
        return await self._admission.admit(
            Admission(
                owner_id=principal.owner_id,
                surface=DEFAULT_SURFACE,
                input=work,
                title="",
                conversation_id=stored.conversation_id,
                new_message=new_message,
                answer_to=answer_to,
                idempotency=idempotency,
            )
        )

    async def _conversation(
        self, principal: Principal, public_id: str | None
    ) -> Conversation | None:
        if public_id is None:
            return None
        found = await self._conversations.find(principal.owner_id, public_id)
        if found is None:
            raise NotFound("There is no such conversation.", code="conversation_not_found")
        return found

    async def _message(
        self, principal: Principal, conversation: str, message: str
    ) -> StoredMessage:
        held_in = await self._conversation(principal, conversation)
        message_id = ids.parse("msg", message)
        stored = None
        if message_id is not None:
            stored = await self._messages.get(principal.owner_id, MessageId(message_id))
        if stored is None or held_in is None or stored.conversation_id != held_in.id:
            raise NotFound("There is no such message.", code="message_not_found")
        return stored


_CONTINUABLE = frozenset({RunStatus.INTERRUPTED, RunStatus.FAILED, RunStatus.CANCELLED})


def _refuse_unknown(ask: Ask) -> None:
    """Names of things that nobody has are told at once, not ignored."""
    if ask.attachments:
        raise InvalidInput.of("attachments", f"there is no file {ask.attachments[0]!r}")
    if ask.tools:
        raise InvalidInput.of("tools", f"there is no tool {ask.tools[0]!r}")


def _words(text: str) -> Message:
    return Message(Role.USER, (Text(text),))


def _plain(message: Message) -> bool:
    return all(isinstance(part, Text) for part in message.parts)


def _run_id(text: str) -> RunId:
    value = ids.parse("run", text)
    if value is None:
        raise NotFound("There is no such run.", code="run_not_found")
    return RunId(value)

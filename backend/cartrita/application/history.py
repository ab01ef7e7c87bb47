"""What a model is told of a conversation: its latest messages, within bounds."""

import asyncio

from cartrita.agents.agent import Agent
from cartrita.domain.errors import Unavailable
from cartrita.domain.messages import Message, Role, StoredMessage, Text
from cartrita.domain.ports import MessageStore
from cartrita.domain.requests import ModelRequest
from cartrita.domain.runs import Claim

_PATIENCE_S = 0.2
_CONTINUE = (
    "Your last message was cut off. Continue it exactly where it stopped: do not repeat anything, "
    "do not comment on the interruption."
)


class History:
    """`messages` and `characters` bound what is sent of a conversation, latest first."""

    def __init__(self, store: MessageStore, *, messages: int, characters: int) -> None:
        self._store = store
        self._messages = messages
        self._characters = characters

    async def request(self, claim: Claim, agent: Agent) -> ModelRequest:
        """The model call that answers a claimed run."""
        work = claim.input
        stored = await self._branch(claim)
        messages = (*work.context, *self._latest(stored))
        if work.prefix:
            partial = Message(Role.ASSISTANT, (Text(work.prefix),))
            messages = (*messages, partial, Message(Role.USER, (Text(_CONTINUE),)))
        instructions = "\n\n".join(text for text in (agent.instructions, work.instructions) if text)
        return ModelRequest(
            owner_id=claim.owner_id,
            model=work.model,
            messages=messages,
            instructions=instructions or None,
            sampling=work.sampling,
        )

    async def _branch(self, claim: Claim) -> list[StoredMessage]:
        """Read while the database is away and back again: nothing was seen yet, so it can wait.

        A lost lease or the run's deadline ends the waiting from outside.
        """
        while True:
            try:
                return await self._store.branch(
                    claim.owner_id, claim.user_message_id, self._messages
                )
            except Unavailable:
                await asyncio.sleep(_PATIENCE_S)

    def _latest(self, newest_first: list[StoredMessage]) -> list[Message]:
        """Oldest first; the message to be answered always, earlier ones while they fit.

        What was left half said counts too; it begins with a user's message.
        """
        kept: list[Message] = []
        room = self._characters
        for stored in newest_first:
            room -= sum(len(part.text) for part in stored.message.parts if isinstance(part, Text))
            if kept and room < 0:
                break
            kept.append(stored.message)
        while len(kept) > 1 and kept[-1].role is not Role.USER:
            kept.pop()
        kept.reverse()
        return kept

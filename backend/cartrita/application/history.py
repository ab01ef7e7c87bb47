"""Builds model requests from the stored messages of a conversation."""

import asyncio

from cartrita.agents.agent import Agent
from cartrita.domain.errors import Unavailable
from cartrita.domain.messages import Message, Role, StoredMessage, Text, split_steps
from cartrita.domain.ports.conversations import MessageStore
from cartrita.domain.requests import ModelRequest
from cartrita.domain.runs import Claim, RunInput

_RETRY_INTERVAL_S = 0.2
_CONTINUE_INSTRUCTION = (
    "Your last message was cut off. Continue it exactly where it stopped: do not repeat anything, "
    "do not comment on the interruption."
)


class History:
    """Limits the history in a request to the latest `messages` and `characters`."""

    def __init__(self, store: MessageStore, *, messages: int, characters: int) -> None:
        self._store = store
        self._messages = messages
        self._characters = characters

    async def build_request(self, claim: Claim, agent: Agent) -> ModelRequest:
        """The model request that answers a claimed run."""
        run_input = claim.input
        stored = await self._branch(claim)
        messages = (*run_input.context, *self._latest(stored))
        if run_input.prefix:
            partial = Message(Role.ASSISTANT, (Text(run_input.prefix),))
            messages = (*messages, partial, Message(Role.USER, (Text(_CONTINUE_INSTRUCTION),)))
        return ModelRequest(
            owner_id=claim.owner_id,
            model=run_input.model,
            messages=messages,
            instructions=_instructions(agent, run_input),
            sampling=run_input.sampling,
            tools=run_input.tools,
            tool_choice=run_input.tool_choice,
            parallel_tool_calls=run_input.parallel_tool_calls,
            response_format=run_input.response_format,
            reasoning=run_input.reasoning,
            user=run_input.user,
            origin=run_input.origin,
            vendor=run_input.vendor,
            strict=run_input.strict,
        )

    async def _branch(self, claim: Claim) -> list[StoredMessage]:
        """Read the branch, and retry while the database is unavailable.

        Nothing is visible to readers yet, so the run can wait. The executor cancels the wait when
        the lease is lost or the deadline is reached.
        """
        while True:
            try:
                return await self._store.branch(
                    claim.owner_id, claim.user_message_id, self._messages
                )
            except Unavailable:
                await asyncio.sleep(_RETRY_INTERVAL_S)

    def _latest(self, newest_first: list[StoredMessage]) -> list[Message]:
        """The latest messages that fit, oldest first.

        The message to be answered is always included, and partial answers count as messages. The
        history begins with a message of the user.
        """
        kept: list[Message] = []
        room = self._characters
        for stored in newest_first:
            room -= sum(len(part.text) for part in stored.message.parts if isinstance(part, Text))
            if kept and room < 0:
                break
            kept.extend(reversed(_as_sent(stored.message)))
        while len(kept) > 1 and kept[-1].role is not Role.USER:
            kept.pop()
        kept.reverse()
        return kept


def _instructions(agent: Agent, run_input: RunInput) -> tuple[Text, ...]:
    given = run_input.instructions or ()
    parts = (Text(given),) if isinstance(given, str) else given
    return (Text(agent.instructions), *parts) if agent.instructions else parts


def _as_sent(message: Message) -> tuple[Message, ...]:
    return split_steps(message) if message.role is Role.ASSISTANT else (message,)

"""Builds model requests from the stored messages of a conversation."""

import asyncio
import math

import msgspec

from cartrita.agents.agent import Agent
from cartrita.application.cache_breakpoints import keep_latest
from cartrita.application.file_context import FileContext
from cartrita.domain.errors import Unavailable
from cartrita.domain.messages import (
    Message,
    Part,
    Reasoning,
    Refusal,
    Role,
    StoredMessage,
    Text,
    ToolCall,
    ToolResult,
)
from cartrita.domain.ports.conversations import MessageStore
from cartrita.domain.ports.tokens import TokenCounter
from cartrita.domain.requests import ModelRequest
from cartrita.domain.runs import Claim, RunInput
from cartrita.domain.steps import split_steps
from cartrita.domain.token_estimates import RuleCounter

_RETRY_INTERVAL_S = 0.2


class _Start(msgspec.Struct, frozen=True):
    """A message of the user with which the history may begin.

    `kept` is how many messages that leaves, and `share` how much of the room they take.
    """

    kept: int
    depth: int
    share: float

    @property
    def roundness(self) -> float:
        """How many halvings its depth takes: few messages are round, and none is when it is not."""
        return math.inf if self.depth == 0 else self.depth & -self.depth


class History:
    """Limits the history in a request to the latest `messages` and `characters`.

    A run may limit its tokens too, which `counter` counts. Providers cache what a request begins
    with, so a history that is cut begins at the same message for as long as it can: of those that
    leave between half and all of the room filled, at the one with the roundest depth.
    """

    def __init__(
        self,
        store: MessageStore,
        *,
        messages: int,
        characters: int,
        counter: TokenCounter | None = None,
        files: FileContext | None = None,
    ) -> None:
        """`files` puts what files hold into the messages; without it they are left as they are."""
        self._store = store
        self._files = files
        self._counter = counter or RuleCounter()
        self._messages = messages
        self._characters = characters

    async def build_request(self, claim: Claim, agent: Agent) -> ModelRequest:
        """The model request that answers a claimed run, from its beginning."""
        run_input = claim.input
        stored = await self._branch(claim)
        messages = (*run_input.context, *self._latest(stored, run_input))
        if self._files is not None:
            messages = await self._files.filled(claim.owner_id, messages)
        instructions = _instructions(agent, run_input)
        return ModelRequest(
            owner_id=claim.owner_id,
            model=run_input.model,
            messages=keep_latest(messages, instructions, run_input.tools),
            instructions=instructions,
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

    def _latest(
        self, newest_first: list[StoredMessage], run_input: RunInput
    ) -> tuple[Message, ...]:
        """The latest messages that fit, oldest first.

        Everything since a user last spoke is always included, and partial answers count as
        messages. The history begins with a message of the user.
        """
        kept: list[Message] = []
        starts: list[_Start] = []
        share = _Share(self._characters, self._messages, run_input.context_tokens)
        whole = len(newest_first) < self._messages
        for stored in newest_first:
            message = stored.message
            tokens = 0
            if run_input.context_tokens is not None:
                tokens = self._count(run_input.model, message)
            if share.after(_length(message), tokens) > 1 and starts:
                whole = False
                break
            share.add(_length(message), tokens)
            kept.append(message)
            if message.role is Role.USER:
                starts.append(_Start(len(kept), stored.depth, share.after(0, 0)))
        if starts:
            kept = kept[: _chosen(starts, whole=whole).kept]
        return split_steps(reversed(kept))

    def _count(self, model: str, message: Message) -> int:
        request = ModelRequest(owner_id="", model=model, messages=(message,))
        return self._counter.count_request(request).tokens


class _Share:
    """How much of the room is taken, as the largest part of what is limited."""

    def __init__(self, characters: int, messages: int, tokens: int | None) -> None:
        self._limits = (characters, messages, math.inf if tokens is None else tokens)
        self._taken = [0, 0, 0]

    def add(self, characters: int, tokens: int) -> None:
        """Take one more message in."""
        self._taken = [self._taken[0] + characters, self._taken[1] + 1, self._taken[2] + tokens]

    def after(self, characters: int, tokens: int) -> float:
        """The share that is taken with so much more."""
        amounts = (self._taken[0] + characters, self._taken[1], self._taken[2] + tokens)
        return max(
            amount / max(limit, 1) for amount, limit in zip(amounts, self._limits, strict=True)
        )


def _chosen(starts: list[_Start], *, whole: bool) -> _Start:
    """Where the history begins: `starts` are those that fit, the latest first."""
    if whole:
        return starts[-1]
    fitting = [one for one in starts if 0.5 <= one.share <= 1]
    return max(fitting, key=lambda one: (one.roundness, one.kept), default=starts[-1])


def _length(message: Message) -> int:
    """The characters that it costs: of text, of what tools were asked, and of their results."""
    return sum(map(_part_length, message.parts))


def _part_length(part: Part) -> int:
    match part:
        case ToolCall(arguments=arguments):
            return len(msgspec.json.encode(arguments))
        case Text() | Refusal() | Reasoning() | ToolResult():
            return len(part.text)
        case _:
            return 0


def _instructions(agent: Agent, run_input: RunInput) -> tuple[Text, ...]:
    given = run_input.instructions or ()
    parts = (Text(given),) if isinstance(given, str) else given
    return (Text(agent.instructions), *parts) if agent.instructions else parts

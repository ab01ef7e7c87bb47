"""Builds model requests from the stored messages of a conversation."""

import asyncio
import math

import msgspec

from cartrita.agents.agent import Agent
from cartrita.agents.sources import SourceList
from cartrita.application.files.context import FileContext
from cartrita.application.files.offered_sources import with_sources
from cartrita.application.history.cache_breakpoints import keep_latest
from cartrita.application.history.summaries import (
    HistorySummaries,
    Summarizer,
    summary_message,
)
from cartrita.domain.errors import Unavailable
from cartrita.domain.message_steps import split_steps
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
from cartrita.domain.token_estimates import RuleCounter

_RETRY_INTERVAL_S = 0.2
_SUMMARIZED = 2000
"""The most messages that one summary is made of: those before them are in an earlier one."""


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


class _Latest(msgspec.Struct, frozen=True):
    """Messages that fit, the latest first, and whether they are all; the history begins with a
    message of the user, of which the latest is the first of `starts`.
    """

    kept: list[Message]
    starts: list[_Start]
    whole: bool


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
        summaries: HistorySummaries | None = None,
    ) -> None:
        """`files` puts what files hold into the messages; without it they are left as they are.

        With `summaries` what has no room is given as a summary; without it, or where that fails, it
        is left out.
        """
        self._summaries = summaries
        self._store = store
        self._files = files
        self._counter = counter or RuleCounter()
        self._messages = messages
        self._characters = characters

    async def build_request(
        self,
        claim: Claim,
        agent: Agent,
        summarizer: Summarizer | None = None,
        sources: SourceList | None = None,
    ) -> ModelRequest:
        """The model request that answers a claimed run, from its beginning.

        What it tells of files is offered to `sources`. Raises LeaseLost, if `summarizer` does.
        """
        run_input = claim.input
        stored = await self._branch(claim, self._messages)
        fitting = await self._fitting(claim, stored, summarizer)
        messages = (*run_input.context, *fitting)
        if self._files is not None and sources is None:
            messages = await self._files.filled(claim.owner_id, messages)
        elif self._files is not None and sources is not None:
            cited = await self._files.cited(claim.owner_id, messages)
            messages = with_sources(cited, sources)
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

    async def _branch(self, claim: Claim, most: int) -> list[StoredMessage]:
        """Read the branch, and retry while the database is unavailable.

        Nothing is visible to readers yet, so the run can wait. The executor cancels the wait when
        the lease is lost or the deadline is reached.
        """
        while True:
            try:
                return await self._store.branch(claim.owner_id, claim.user_message_id, most)
            except Unavailable:
                await asyncio.sleep(_RETRY_INTERVAL_S)

    async def _fitting(
        self, claim: Claim, stored: list[StoredMessage], summarizer: Summarizer | None
    ) -> tuple[Message, ...]:
        """The history, oldest first: all of it, or what fits of it."""
        found = self._latest(stored, claim.input, before=len(stored) < self._messages)
        if not found.whole and found.starts and self._summaries and summarizer:
            summarized = await self._summarized(claim, stored, self._summaries, summarizer)
            if summarized is not None:
                return summarized
        kept = found.kept
        if found.starts:
            kept = kept[: _chosen(found.starts, whole=found.whole).kept]
        return split_steps(reversed(kept))

    async def _summarized(
        self,
        claim: Claim,
        stored: list[StoredMessage],
        summaries: HistorySummaries,
        summarizer: Summarizer,
    ) -> tuple[Message, ...] | None:
        """A summary, and all that came after it; None if there is none and cannot be.

        The one that is there is taken for as long as it all fits.
        """
        summary, count = await summaries.find(claim.owner_id, stored)
        if summary is None and len(stored) == self._messages:
            stored = await self._branch(claim, _SUMMARIZED)
            summary, count = await summaries.find(claim.owner_id, stored)
        recent = stored[:count]
        given = None if summary is None else summary_message(summary, stored[count].depth + 1)
        found = self._latest(recent, claim.input, given)
        if given is None or not found.whole:
            fitting = [one for one in found.starts if one.share <= summaries.kept]
            count = (fitting or found.starts)[-1 if fitting else 0].kept
            if count == len(recent):
                return None
            summary = await summaries.make(claim.owner_id, summary, recent[count:], summarizer)
            if summary is None:
                return None
            given = summary_message(summary, stored[count].depth + 1)
            recent = recent[:count]
        await summarizer.used(stored[count].depth + 1)
        return (given, *split_steps(one.message for one in reversed(recent)))

    def _latest(
        self,
        newest_first: list[StoredMessage],
        run_input: RunInput,
        given: Message | None = None,
        *,
        before: bool = True,
    ) -> _Latest:
        """The latest messages that fit, after `given`, with which the history begins.

        Everything since a user last spoke is always included, and partial answers count as
        messages. `before` tells whether there is nothing before the messages.
        """
        kept: list[Message] = []
        starts: list[_Start] = []
        share = _Share(self._characters, self._messages, run_input.context_tokens)
        if given is not None:
            share.add(_length(given), self._tokens(given, run_input))
        whole = before
        for stored in newest_first:
            message = stored.message
            tokens = self._tokens(message, run_input)
            if share.after(_length(message), tokens) > 1 and starts:
                whole = False
                break
            share.add(_length(message), tokens)
            kept.append(message)
            if message.role is Role.USER:
                starts.append(_Start(len(kept), stored.depth, share.after(0, 0)))
        return _Latest(kept, starts, whole)

    def _tokens(self, message: Message, run_input: RunInput) -> int:
        """Its tokens, where they are limited."""
        if run_input.context_tokens is None:
            return 0
        request = ModelRequest(owner_id="", model=run_input.model, messages=(message,))
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

"""One step of an agent: a model call, told as the events of a run."""

import time
from collections.abc import AsyncGenerator, Callable, Iterator

from cartrita.agents.agent import Limits
from cartrita.agents.calls import Calls
from cartrita.dialects.estimates import request_tokens, text_tokens
from cartrita.domain.deltas import (
    Delta,
    Finished,
    FinishReason,
    ReasoningDelta,
    TextDelta,
    ToolCallDelta,
)
from cartrita.domain.errors import UpstreamCut, UpstreamError
from cartrita.domain.events import (
    Event,
    ReasoningAppended,
    SourceFound,
    TextAppended,
    UsageRecorded,
)
from cartrita.domain.ports import ModelProvider
from cartrita.domain.requests import ModelRequest
from cartrita.domain.usage import Usage


class Step:
    """Makes one call. `finish_reason` and `model` are known once `events` has ended by itself.

    `position` counts the code points of the answer before this step.
    """

    def __init__(
        self,
        provider: ModelProvider,
        request: ModelRequest,
        *,
        position: int = 0,
        limits: Limits | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._provider = provider
        self._request = request
        self._position = position
        self._clock = clock
        self._calls = Calls(provider.name, limits or Limits())
        self._began: float | None = None
        self._first_seen: float | None = None
        self._said_tokens = 0
        self._reported: Usage | None = None
        self.finish_reason: FinishReason | None = None
        self.model: str | None = None

    async def events(self) -> AsyncGenerator[Event]:
        """What happens, `UsageRecorded` last, also before an UpstreamError that ends the step.

        A tool call is an event once the model has ended and the call's JSON is whole. Raises
        UpstreamError. Who leaves early asks `measured` for what was used until then.
        """
        self._began = self._clock()
        try:
            async with self._provider.stream(self._request) as deltas:
                async for delta in deltas:
                    for event in self._told(delta):
                        yield event
            if self.finish_reason is None:
                raise UpstreamCut(
                    f"{self._provider.name} ended its answer in the middle.",
                    provider=self._provider.name,
                )
            for called in self._calls.whole():
                yield called
        except UpstreamError:
            if self._first_seen is not None:
                yield self.measured()
            raise
        yield self.measured()

    def measured(self) -> UsageRecorded:
        """What the call took so far; the tokens are estimated while the provider has not said."""
        now = self._clock()
        began = now if self._began is None else self._began
        first = None if self._first_seen is None else self._first_seen - began
        return UsageRecorded(self._usage(), now - began, first)

    def _usage(self) -> Usage:
        if self._reported is not None and self._reported.total_tokens:
            return self._reported
        return Usage(request_tokens(self._request), self._said_tokens, estimated=True)

    def _told(self, delta: Delta) -> Iterator[Event]:
        if isinstance(delta, Finished):
            self.finish_reason = delta.reason
            self.model = delta.model
            self._reported = delta.usage
            return
        if self._first_seen is None:
            self._first_seen = self._clock()
        if isinstance(delta, TextDelta):
            self._said_tokens += text_tokens(delta.text)
            yield TextAppended(delta.text, self._position)
            self._position += len(delta.text)
        elif isinstance(delta, ReasoningDelta):
            self._said_tokens += text_tokens(delta.text)
            yield ReasoningAppended(delta.text)
        elif isinstance(delta, ToolCallDelta):
            self._said_tokens += text_tokens(delta.name or "") + text_tokens(delta.arguments)
            self._calls.add(delta)
        else:
            yield SourceFound(delta.citation)

"""One step of an agent: a model call, converted to the events of a run."""

import time
from collections.abc import AsyncGenerator, Callable, Iterator

from cartrita.agents.agent import AgentLimits
from cartrita.agents.tool_calls import ToolCallAssembler
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
from cartrita.domain.ports.providers import ModelProvider
from cartrita.domain.requests import ModelRequest
from cartrita.domain.token_estimates import request_tokens, text_tokens
from cartrita.domain.usage import Usage


class Step:
    """Makes one model call. `finish_reason` and `model` are set when `events` is exhausted.

    `position` is the number of code points of the answer before this step.
    """

    def __init__(
        self,
        provider: ModelProvider,
        request: ModelRequest,
        *,
        position: int = 0,
        limits: AgentLimits | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._provider = provider
        self._request = request
        self._position = position
        self._clock = clock
        self._tool_calls = ToolCallAssembler(provider.name, limits or AgentLimits())
        self._started_at: float | None = None
        self._first_delta_at: float | None = None
        self._output_tokens = 0
        self._reported_usage: Usage | None = None
        self.finish_reason: FinishReason | None = None
        self.model: str | None = None

    async def events(self) -> AsyncGenerator[Event]:
        """Yield the events of the call; `UsageRecorded` is last, also before an UpstreamError.

        Tool calls are yielded after the model has finished and their JSON is complete. Raises
        UpstreamError. A caller that stops early gets the usage so far from `usage_event`.
        """
        self._started_at = self._clock()
        try:
            async with self._provider.stream(self._request) as deltas:
                async for delta in deltas:
                    for event in self._events_of(delta):
                        yield event
            if self.finish_reason is None:
                raise UpstreamCut(
                    f"{self._provider.name} ended its answer in the middle.",
                    provider=self._provider.name,
                )
            for called in self._tool_calls.complete():
                yield called
        except UpstreamError:
            if self._first_delta_at is not None:
                yield self.usage_event()
            raise
        yield self.usage_event()

    def usage_event(self) -> UsageRecorded:
        """Usage and duration so far; tokens are estimated until the provider has reported them."""
        now = self._clock()
        started_at = now if self._started_at is None else self._started_at
        first = None if self._first_delta_at is None else self._first_delta_at - started_at
        return UsageRecorded(self._usage(), now - started_at, first)

    def _usage(self) -> Usage:
        if self._reported_usage is not None and self._reported_usage.total_tokens:
            return self._reported_usage
        return Usage(request_tokens(self._request), self._output_tokens, estimated=True)

    def _events_of(self, delta: Delta) -> Iterator[Event]:
        if isinstance(delta, Finished):
            self.finish_reason = delta.reason
            self.model = delta.model
            self._reported_usage = delta.usage
            return
        if self._first_delta_at is None:
            self._first_delta_at = self._clock()
        if isinstance(delta, TextDelta):
            self._output_tokens += text_tokens(delta.text)
            yield TextAppended(delta.text, self._position)
            self._position += len(delta.text)
        elif isinstance(delta, ReasoningDelta):
            self._output_tokens += text_tokens(delta.text)
            yield ReasoningAppended(delta.text)
        elif isinstance(delta, ToolCallDelta):
            self._output_tokens += text_tokens(delta.name or "") + text_tokens(delta.arguments)
            self._tool_calls.add(delta)
        else:
            yield SourceFound(delta.citation)

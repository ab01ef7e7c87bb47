"""One step of an agent: a model call, converted to the events of a run."""

import time
from collections.abc import AsyncGenerator, Callable, Iterator

from cartrita.agents.agent import AgentLimits
from cartrita.agents.tool_calls import ToolCallAssembler
from cartrita.domain.deltas import (
    Accepted,
    CitationDelta,
    Delta,
    Finished,
    FinishReason,
    ReasoningDelta,
    RefusalDelta,
    TextDelta,
    ToolCallDelta,
    VendorDelta,
)
from cartrita.domain.errors import BudgetExhausted, UpstreamCut, UpstreamError
from cartrita.domain.events import (
    Event,
    ModelAccepted,
    ReasoningAppended,
    ReasoningSealed,
    SourceFound,
    TextAppended,
    UsageRecorded,
    VendorPartAdded,
)
from cartrita.domain.json import JsonObject
from cartrita.domain.ports.providers import ModelProvider
from cartrita.domain.ports.tokens import TokenCounter
from cartrita.domain.requests import ModelRequest
from cartrita.domain.token_estimates import RuleCounter
from cartrita.domain.usage import Usage


class Step:
    """Makes one model call. `finish_reason` and `model` are set when `events` is exhausted.

    `answered_by` are the names of the provider and the model that were asked for it in the end.

    `said` is how the answer begins that this step goes on with; `position` is the length of the
    answer before it, and `lead` parts its text from the one before. `counter` counts the tokens
    that the provider does not report.
    """

    def __init__(
        self,
        provider: ModelProvider,
        request: ModelRequest,
        *,
        said: str = "",
        position: int | None = None,
        lead: str = "",
        limits: AgentLimits | None = None,
        counter: TokenCounter | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._provider = provider
        self._request = request
        self._said = said
        self._position = len(said) if position is None else position
        self._lead = lead
        self._clock = clock
        self._tool_calls = ToolCallAssembler(
            provider.name,
            limits or AgentLimits(),
            offered=frozenset(tool.name for tool in request.tools),
        )
        self._started_at: float | None = None
        self._first_delta_at: float | None = None
        self._counter = counter or RuleCounter()
        self._written: list[str] = []
        self._reported_usage: Usage | None = None
        self.finish_reason: FinishReason | None = None
        self.stop_sequence: str | None = None
        self.vendor_reason: str | None = None
        self.model: str | None = None
        self.answered_by = provider.name, request.model

    async def events(self) -> AsyncGenerator[Event]:
        """Yield the events of the call; `UsageRecorded` is last, also before an error.

        Tool calls are yielded after the model has finished and their JSON is complete. Raises
        UpstreamError and BudgetExhausted. A caller that stops early gets the usage so far from
        `usage_event`.
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
        except (UpstreamError, BudgetExhausted):
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
        model = self._request.model
        sent = self._counter.count_request(self._request)
        said = self._counter.count_text(model, self._said)
        written = self._counter.count_text(model, "".join(self._written))
        return Usage(
            sent.tokens + said.tokens,
            written.tokens,
            estimated=True,
            error_bound=max(sent.error_bound, written.error_bound),
        )

    def _events_of(self, delta: Delta) -> Iterator[Event]:
        match delta:
            case Accepted():
                self.answered_by = delta.provider, delta.model
                if delta.receipts or delta.failovers or self._is_other(delta):
                    yield ModelAccepted(
                        delta.provider, delta.model, delta.receipts, delta.failovers
                    )
            case Finished():
                self.finish_reason = delta.reason
                self.stop_sequence = delta.stop_sequence
                self.vendor_reason = delta.vendor_reason
                self.model = delta.model
                self._reported_usage = delta.usage
            case _:
                if self._first_delta_at is None:
                    self._first_delta_at = self._clock()
                yield from self._visible_events(delta)

    def _is_other(self, accepted: Accepted) -> bool:
        """Whether not the deployment answers that was chosen: one that is ejected is left out."""
        chosen = self._provider.name, self._request.model
        return (accepted.provider, accepted.model) != chosen

    def _visible_events(self, delta: Delta) -> Iterator[Event]:
        match delta:
            case TextDelta(text=text, logprobs=logprobs):
                yield self._text_event(text, logprobs)
            case RefusalDelta(text=text):
                yield self._text_event(text, refusal=True)
            case ReasoningDelta():
                yield from self._reasoning_events(delta)
            case ToolCallDelta():
                self._written.append((delta.name or "") + delta.arguments)
                self._tool_calls.add(delta)
            case CitationDelta(citation=citation):
                yield SourceFound(citation)
            case VendorDelta(part=part):
                yield VendorPartAdded(part)
            case _:
                pass

    def _text_event(
        self, text: str, logprobs: tuple[JsonObject, ...] = (), *, refusal: bool = False
    ) -> TextAppended:
        self._written.append(text)
        text, self._lead = self._lead + text, ""
        event = TextAppended(text, self._position, logprobs, refusal)
        self._position += len(text)
        return event

    def _reasoning_events(self, delta: ReasoningDelta) -> Iterator[Event]:
        if delta.text:
            self._written.append(delta.text)
            yield ReasoningAppended(delta.text)
        if delta.sealed:
            yield ReasoningSealed(delta.signature, delta.encrypted, delta.origin, delta.id)

"""Traces: what is noted of runs and of calls, from which their stories are told elsewhere.

A fact is made where something happens, and nothing but made there: whoever traces reads it later,
beside the event loop. Moments are those of `time.monotonic`, which does not jump; the first fact of
a trace has the wall clock beside it.
"""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Final, TypeAlias
from uuid import UUID

import msgspec

from cartrita.domain.deltas import Delta, FinishReason
from cartrita.domain.events import (
    ApprovalAsked,
    Event,
    HistorySummarized,
    ModelAccepted,
    ProviderAwaited,
    SourceFound,
    TaskCompleted,
    TaskStarted,
    ToolCalled,
    ToolReturned,
)
from cartrita.domain.failovers import Failover
from cartrita.domain.ids import ConversationId, RunId
from cartrita.domain.ledger import CallOutcome, ServiceUse
from cartrita.domain.requests import ModelRequest
from cartrita.domain.run_parts import RunPart
from cartrita.domain.runs import Claim, Ending, Run
from cartrita.domain.token_classes import Costs
from cartrita.domain.usage import Usage

TOLD: Final = (
    ModelAccepted,
    ProviderAwaited,
    ToolCalled,
    ToolReturned,
    SourceFound,
    TaskStarted,
    TaskCompleted,
    ApprovalAsked,
    HistorySummarized,
)
"""The events of a run that its trace tells; its text comes with its end."""


class RunTaken(msgspec.Struct, frozen=True):
    """This process begins, or goes on, to work on a run; `wall` is in seconds since 1970."""

    claim: Claim
    at: float
    wall: float


class RunCalled(msgspec.Struct, frozen=True):
    """A run was asked for in the trace of its caller, whose `traceparent` is `caller_trace`."""

    run_id: RunId
    conversation_id: ConversationId
    owner_id: str
    surface: str
    agent: str
    provider: str
    caller_trace: str
    at: float
    wall: float


class RunNoted(msgspec.Struct, frozen=True):
    """Something happened in a run."""

    run_id: RunId
    event: Event
    at: float


class RunLeft(msgspec.Struct, frozen=True):
    """This process does not work on a run any more, which has not ended: it waits, or goes on."""

    run_id: RunId
    at: float


class RunEnded(msgspec.Struct, frozen=True):
    """A run has ended."""

    run_id: RunId
    ending: Ending
    at: float


class RunAbandoned(msgspec.Struct, frozen=True):
    """A run has ended that no process worked on then: its owner is gone, or it waited."""

    run: Run
    ending: Ending
    at: float
    wall: float


class CalledFor(msgspec.Struct, frozen=True, kw_only=True):
    """For whom a model is called; without a `part` of a run the call has a trace of its own.

    It was asked for at the moment `at`, which was `wall` in seconds since 1970. `caller_trace` is
    the `traceparent` of whoever asked, if that is believed. `operation` is what a service is asked
    for that serves no models.
    """

    trace_id: UUID
    at: float
    wall: float
    owner_id: str
    key_id: str | None
    surface: str
    part: RunPart | None = None
    caller_trace: str | None = None
    operation: str | None = None


class CallContents(msgspec.Struct, frozen=True):
    """What a call sent and got: read when, and only if, it is told. Reading may raise anything."""

    request: Callable[[], ModelRequest]
    answer: Callable[[], Sequence[Delta]]
    size: int
    """About how many bytes are kept for it."""


class ModelCalled(msgspec.Struct, frozen=True, kw_only=True):
    """One call of one deployment, which has ended.

    `at` is when it began, and `seconds` its duration. `costs` are None where the price of a part is
    not known; `error` is the code of what it failed with. Where the answer was `cached`, no
    deployment was called, and nothing used.
    """

    called_for: CalledFor
    provider: str
    model: str
    embeds: bool
    usage: Usage
    costs: Costs | None
    outcome: CallOutcome
    error: str | None
    at: float
    seconds: float
    first_token_seconds: float | None
    finish_reason: FinishReason | None
    contents: CallContents | None
    cached: bool = False


class ServiceCalled(msgspec.Struct, frozen=True, kw_only=True):
    """One request of a service, or a stretch of one that goes on for long, which has ended.

    `model` is what did it, as far as that is known, and `cost` in US dollars, None where the price
    is not known. `sent` and `got` are texts, never audio; None where nothing is told of them.
    """

    called_for: CalledFor
    provider: str
    operation: str
    model: str | None
    use: ServiceUse
    cost: Decimal | None
    outcome: CallOutcome
    error: str | None
    at: float
    seconds: float
    sent: str | None
    got: str | None


class CallAnswered(msgspec.Struct, frozen=True, kw_only=True):
    """A call that is no run's has its answer, or none: its trace is complete.

    `name` is the model or route that was asked for; `left` is true if nobody wanted the rest,
    `cached` if it was another call's.
    """

    called_for: CalledFor
    name: str
    provider: str | None
    failovers: tuple[Failover, ...]
    error: str | None
    left: bool
    at: float
    cached: bool = False


Fact: TypeAlias = (
    RunCalled
    | RunTaken
    | RunNoted
    | RunLeft
    | RunEnded
    | RunAbandoned
    | ModelCalled
    | ServiceCalled
    | CallAnswered
)


def trace_id_of(run_id: UUID) -> str:
    """The id of a run's trace, in 32 hexadecimal digits: those of the run's own id."""
    return run_id.hex

"""Tracing of calls: which are traced, and what is noted of them."""

import time
from collections.abc import Callable, Sequence
from typing import Protocol

from msgspec.structs import replace

from cartrita.domain.cached_answers import CachedAnswer
from cartrita.domain.deltas import Delta, FinishReason, size_of
from cartrita.domain.errors import CartritaError
from cartrita.domain.failovers import Failover
from cartrita.domain.ledger import CallOutcome
from cartrita.domain.ports.tracing import Tracer
from cartrita.domain.scopes import Operation
from cartrita.domain.token_classes import Costs
from cartrita.domain.traces import CallAnswered, CallContents, CalledFor, ModelCalled
from cartrita.domain.usage import NOTHING_USED, Usage
from cartrita.gateway.calls import Call
from cartrita.gateway.routes import Deployment
from cartrita.kit.ids import uuid7


class EndedLeg(Protocol):
    """A call of a deployment that has ended."""

    call: Call
    deployment: Deployment
    first_token_seconds: float | None
    finish_reason: FinishReason | None
    answer: Callable[[], Sequence[Delta]]
    answer_bytes: int


def traced(call: Call, tracer: Tracer | None) -> Call:
    """The call with for whom it is made, if it is traced: as its run is, or by an id of its own."""
    if tracer is None or not call.recorded:
        return call
    trace_id = uuid7() if call.part is None else call.part.run_id
    if not tracer.samples(trace_id):
        return call
    called_for = CalledFor(
        trace_id=trace_id,
        at=time.monotonic(),
        wall=time.time(),
        owner_id=call.owner_id,
        key_id=call.key_id,
        surface=call.surface,
        part=call.part,
        caller_trace=call.caller_trace,
    )
    return replace(call, traced_for=called_for)


def note_leg(
    tracer: Tracer,
    called_for: CalledFor,
    leg: EndedLeg,
    outcome: CallOutcome,
    usage: Usage,
    costs: Costs | None,
    error: BaseException | None,
    seconds: float,
) -> None:
    """Note one call of a deployment, which ends now."""
    call = leg.call
    contents = None
    if tracer.keeps_contents:
        contents = CallContents(call.parse, leg.answer, call.size + leg.answer_bytes)
    tracer.note(
        ModelCalled(
            called_for=called_for,
            provider=leg.deployment.provider,
            model=leg.deployment.model,
            embeds=call.operation is Operation.EMBEDDINGS,
            usage=usage,
            costs=costs,
            outcome=outcome,
            error=code_of(error),
            at=time.monotonic() - seconds,
            seconds=seconds,
            first_token_seconds=leg.first_token_seconds,
            finish_reason=leg.finish_reason,
            contents=contents,
        )
    )


def note_answer(
    tracer: Tracer,
    call: Call,
    provider: str | None,
    failovers: tuple[Failover, ...],
    error: BaseException | None,
    *,
    complete: bool,
) -> None:
    """Note that a call which is no run's is over."""
    if call.traced_for is None or call.part is not None:
        return
    code = code_of(error)
    tracer.note(
        CallAnswered(
            called_for=call.traced_for,
            name=call.name,
            provider=provider,
            failovers=failovers,
            error=code,
            left=code is None and not complete,
            at=time.monotonic(),
        )
    )


def note_replay(
    tracer: Tracer,
    called_for: CalledFor,
    call: Call,
    kept: CachedAnswer,
    began: float,
    outcome: CallOutcome,
    error: BaseException | None,
) -> None:
    """Note that a call has had the answer that is kept of another one; it used nothing.

    Nothing used is told as such: Langfuse counts and prices what has no usage itself.
    """
    contents, finished = None, kept.finished
    if tracer.keeps_contents:
        deltas = kept.deltas  # its relayed bytes are not kept for the trace
        contents = CallContents(call.parse, lambda: deltas, call.size + size_of(deltas))
    code, at = code_of(error), time.monotonic()
    tracer.note(
        ModelCalled(
            called_for=called_for,
            provider=kept.provider,
            model=kept.model,
            embeds=call.operation is Operation.EMBEDDINGS,
            usage=NOTHING_USED,
            costs={},
            outcome=outcome,
            error=code,
            at=began,
            seconds=at - began,
            first_token_seconds=None,
            finish_reason=None if finished is None else finished.reason,
            contents=contents,
            cached=True,
        )
    )
    tracer.note(
        CallAnswered(
            called_for=called_for,
            name=call.name,
            provider=kept.provider,
            failovers=(),
            error=code,
            left=code is None and outcome is CallOutcome.CANCELLED,
            at=at,
            cached=True,
        )
    )


def code_of(error: BaseException | None) -> str | None:
    """What is told of an error; whoever leaves early has made none."""
    if isinstance(error, CartritaError):
        return error.code
    return "internal_error" if isinstance(error, Exception) else None

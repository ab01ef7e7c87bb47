"""The line in the log about each call of a model: what was asked for, and what came."""

import logging
from collections.abc import Mapping
from typing import Protocol

import msgspec
import structlog

from cartrita.domain.deltas import FinishReason
from cartrita.domain.errors import CartritaError
from cartrita.domain.ledger import CallOutcome
from cartrita.domain.usage import Usage
from cartrita.gateway.calls import Call
from cartrita.gateway.metering import MeteredCall
from cartrita.kit.pseudonyms import pseudonym

log = structlog.get_logger(__name__)


class AnswerTold(msgspec.Struct, frozen=True):
    """What is told of an answer beside its usage; `parts` counts those of each kind."""

    message_id: str | None = None
    finish_reason: FinishReason | None = None
    parts: Mapping[str, int] = {}


class Reported(Protocol):
    """What a report says of a call."""

    outcome: CallOutcome

    def usage(self) -> Usage: ...

    def told(self) -> AnswerTold: ...


def logs_calls() -> bool:
    """Whether calls are logged: what only the log wants is not gathered otherwise."""
    return log.bind().is_enabled_for(logging.INFO)


def log_call(
    metered: MeteredCall, leg: Reported, usage: Usage, error: BaseException | None = None
) -> None:
    """Write the line. It has numbers, names and ids, and nothing that anybody said.

    Whatever is wrong with it, the call has been answered.
    """
    try:
        _write(metered, leg, usage, error)
    except Exception:
        log.exception("call_not_logged")


def _write(metered: MeteredCall, leg: Reported, usage: Usage, error: BaseException | None) -> None:
    call, deployment, told = metered.call, metered.deployment, leg.told()
    asked = _asked(call)
    written_id = asked.pop("message_id", None)
    log.info(
        "model_called",
        surface=call.surface.partition("_")[0],
        api=call.surface,
        provider=deployment.provider,
        model=deployment.model,
        outcome=leg.outcome,
        streamed=call.streamed,
        **asked,
        message_id=None if metered.continues else told.message_id or written_id,
        stop_reason=told.finish_reason,
        parts=told.parts,
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        cache_read_tokens=usage.cache_read_tokens,
        seconds=round(metered.seconds, 4),
        first_token_seconds=_rounded(metered.first_token_seconds),
        code=error.code if isinstance(error, CartritaError) else None,
        owner=pseudonym(call.owner_id),
        key_id=call.key_id,
        trace_id=None if call.traced_for is None else call.traced_for.trace_id.hex,
    )


def _asked(call: Call) -> dict[str, int | str | None]:
    """The counts of the request; none of one that only its provider understands."""
    if call.log_keys is not None:
        return dict(call.log_keys())
    if call.relay is not None:
        return {}
    try:
        request = call.parse()
    except (CartritaError, RecursionError):
        return {}
    return {
        "max_tokens": request.sampling.max_tokens,
        "messages": len(request.messages),
        "tools": len(request.tools),
    }


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 4)

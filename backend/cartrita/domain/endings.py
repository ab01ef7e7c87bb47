"""Endings of runs: the terminal event and the stored message for each way in which a run ends."""

from cartrita.domain.deltas import FinishReason
from cartrita.domain.errors import CartritaError, InvalidInput
from cartrita.domain.events import RunCompleted, RunStopped, StopStatus
from cartrita.domain.fold import Fold
from cartrita.domain.json import JsonObject
from cartrita.domain.messages import Message, MessageStatus, Role
from cartrita.domain.receipts import Receipt
from cartrita.domain.runs import Claim, Ending, RunStatus


def completed(
    claim: Claim,
    answer: Fold,
    reason: FinishReason,
    seconds: float,
    stop_sequence: str | None = None,
    vendor_reason: str | None = None,
    cap: str | None = None,
) -> Ending:
    """The model finished its answer; `seconds` is the duration of the whole run.

    The model and provider are those that answered, which may be others than the run began with.
    """
    accepted = answer.accepted
    event = RunCompleted(
        text=answer.text,
        finish_reason=reason,
        usage=answer.usage,
        seconds=round(seconds, 3),
        conversation_id=claim.started.conversation_id,
        message_id=claim.started.message_id,
        agent=claim.started.agent,
        model=accepted.model if accepted else claim.started.model,
        provider=accepted.provider if accepted else claim.started.provider,
        sources=answer.sources,
        calls=answer.calls,
        receipts=(*_told_of_history(answer), *(accepted.receipts if accepted else ())),
        failovers=accepted.failovers if accepted else (),
        stop_sequence=stop_sequence,
        vendor_reason=vendor_reason,
        refused=answer.refused,
        agents=answer.agents,
        cap=cap,
    )
    # An empty answer is an answer: the client that asked is told of a message, which must exist.
    message = answer.message or Message(Role.ASSISTANT, ())
    return Ending(status=RunStatus.COMPLETED, event=event, usage=answer.usage, message=message)


def _told_of_history(answer: Fold) -> tuple[Receipt, ...]:
    """The receipt of a history that the model was not given as it was."""
    if answer.summarized is None:
        return ()
    why = f"The first {answer.summarized.messages} messages were given to the model as a summary."
    return (Receipt("messages", "conversation", "summary", "approximated", why),)


def cancelled(answer: Fold) -> Ending:
    """A caller asked for the end. The partial answer is kept."""
    return _stopped(answer, StopStatus.CANCELLED, "cancelled", "The answer was cancelled.")


def interrupted(answer: Fold, message: str) -> Ending:
    """The server stopped during the run. `message` tells the user why, without a full stop.

    What can be done is added: an answer that ended in anything but text cannot be continued.
    """
    can = "can be continued" if answer.continuable else "can be tried again"
    told = f"{message}, and the answer {can}."
    return _stopped(answer, StopStatus.INTERRUPTED, "interrupted", told, recoverable=True)


def failed(answer: Fold, error: CartritaError) -> Ending:
    """The run raised `error`.

    A retryable error after visible text counts as an interruption, because the answer can be
    continued. A failure before any visible output releases the caller's idempotency key.
    """
    status = StopStatus.INTERRUPTED if answer.length and error.retryable else StopStatus.FAILED
    event = RunStopped(
        status,
        error.code,
        error.message,
        error.retryable,
        answer.usage,
        _details(error),
        error.retry_after,
        error.kind,
    )
    return _partial(answer, event)


def unstorable(error: CartritaError) -> Ending:
    """The database refused the output, so no message is stored; logged events remain."""
    event = RunStopped(
        StopStatus.FAILED, error.code, error.message, recoverable=False, error_kind=error.kind
    )
    return Ending(status=RunStatus.FAILED, event=event, usage=event.usage, message=None)


def _details(error: CartritaError) -> JsonObject:
    """What is stored of an error; `fields` are those of a request that was refused."""
    if isinstance(error, InvalidInput):
        return {**error.details, "fields": {name: [*told] for name, told in error.fields.items()}}
    return error.details


def _stopped(
    answer: Fold, status: StopStatus, code: str, message: str, *, recoverable: bool = False
) -> Ending:
    return _partial(answer, RunStopped(status, code, message, recoverable, answer.usage))


def _partial(answer: Fold, event: RunStopped) -> Ending:
    return Ending(
        status=RunStatus(event.kind),
        event=event,
        usage=answer.usage,
        message=answer.message,
        message_status=MessageStatus.PARTIAL,
        keep_idempotency=answer.seen or event.kind is StopStatus.CANCELLED,
    )

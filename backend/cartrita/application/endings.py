"""How runs end: what is told and what is kept, for every way in which it can happen."""

from cartrita.domain.deltas import FinishReason
from cartrita.domain.errors import CartritaError
from cartrita.domain.events import RunCompleted, RunStopped, StopKind
from cartrita.domain.fold import Fold
from cartrita.domain.messages import MessageStatus
from cartrita.domain.runs import Claim, Ending, RunStatus


def completed(claim: Claim, answer: Fold, reason: FinishReason, seconds: float) -> Ending:
    """The whole answer."""
    event = RunCompleted(
        text=answer.text,
        finish_reason=reason,
        usage=answer.usage,
        seconds=seconds,
        conversation_id=claim.started.conversation_id,
        message_id=claim.started.message_id,
        agent=claim.started.agent,
        model=claim.started.model,
        provider=claim.started.provider,
        sources=answer.sources,
        calls=answer.calls,
    )
    return Ending(
        status=RunStatus.COMPLETED, event=event, usage=answer.usage, message=answer.message
    )


def cancelled(answer: Fold) -> Ending:
    """Somebody asked for it; what was seen is kept."""
    return _stopped(answer, StopKind.CANCELLED, "cancelled", "The answer was cancelled.")


def interrupted(answer: Fold, code: str, message: str) -> Ending:
    """It broke off after something was seen; it can be continued."""
    return _stopped(answer, StopKind.INTERRUPTED, code, message, recoverable=True)


def failed(answer: Fold, error: CartritaError) -> Ending:
    """A failure before anything was seen releases the caller's key, so that it may be tried again.

    After visible text a failure that may pass is an interruption: there is something to continue.
    """
    kind = StopKind.INTERRUPTED if answer.length and error.retryable else StopKind.FAILED
    event = RunStopped(
        kind,
        error.code,
        error.message,
        error.retryable,
        answer.usage,
        error.details,
        error.retry_after,
        error.kind,
    )
    return _ending(answer, event)


def unstorable(error: CartritaError) -> Ending:
    """The database refused the answer itself: nothing of it can be kept beyond the log."""
    event = RunStopped(
        StopKind.FAILED, error.code, error.message, recoverable=False, error_kind=error.kind
    )
    return Ending(status=RunStatus.FAILED, event=event, usage=event.usage, message=None)


def _stopped(
    answer: Fold, kind: StopKind, code: str, message: str, *, recoverable: bool = False
) -> Ending:
    return _ending(answer, RunStopped(kind, code, message, recoverable, answer.usage))


def _ending(answer: Fold, event: RunStopped) -> Ending:
    return Ending(
        status=RunStatus(event.kind),
        event=event,
        usage=answer.usage,
        message=answer.message,
        message_status=MessageStatus.PARTIAL,
        keep_idempotency=answer.seen or event.kind is StopKind.CANCELLED,
    )

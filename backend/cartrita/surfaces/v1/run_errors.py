"""Errors of runs that ended early, as the errors that they would have been as plain calls."""

from typing import Final

import msgspec

from cartrita.domain.errors import (
    BudgetExhausted,
    CartritaError,
    Conflict,
    DeadlineExceeded,
    ErrorKind,
    InvalidInput,
    RateLimited,
    StorageFull,
    TooLarge,
    Unavailable,
    UpstreamAuth,
    UpstreamCut,
    UpstreamError,
    UpstreamLimited,
    UpstreamMalformed,
    UpstreamOverloaded,
    UpstreamQuota,
    UpstreamRejected,
    UpstreamUnreachable,
)
from cartrita.domain.events import RunStopped, StopStatus
from cartrita.domain.json import JsonObject

_CLASSES: Final = {
    ErrorKind.TOO_LARGE: TooLarge,
    ErrorKind.RATE_LIMITED: RateLimited,
    ErrorKind.BUDGET: BudgetExhausted,
    ErrorKind.UNAVAILABLE: Unavailable,
    ErrorKind.STORAGE_FULL: StorageFull,
    ErrorKind.DEADLINE: DeadlineExceeded,
}
_UPSTREAM: Final = {
    ErrorKind.UPSTREAM: UpstreamError,
    ErrorKind.UPSTREAM_REJECTED: UpstreamRejected,
}
_BY_CODE: Final[dict[str, type[UpstreamError]]] = {
    one.default_code: one
    for one in (
        UpstreamUnreachable,
        UpstreamRejected,
        UpstreamAuth,
        UpstreamQuota,
        UpstreamLimited,
        UpstreamOverloaded,
        UpstreamMalformed,
        UpstreamCut,
    )
}


def error_of(stopped: RunStopped) -> CartritaError:
    """The error to report for a run that ended early."""
    if stopped.kind is StopStatus.CANCELLED:
        return Conflict(stopped.message, code=stopped.code, details=stopped.details)
    if (stopped.kind, stopped.error_kind) == (StopStatus.INTERRUPTED, ErrorKind.INTERNAL):
        return Unavailable(stopped.message, code=stopped.code, details=stopped.details)
    upstream = _BY_CODE.get(stopped.code) or _UPSTREAM.get(stopped.error_kind)
    if upstream is not None:
        status = stopped.details.get("upstream_status")
        return upstream(
            stopped.message,
            provider=str(stopped.details.get("provider", "")),
            status=status if isinstance(status, int) else None,
            code=stopped.code,
            details=stopped.details,
            retry_after=stopped.retry_after,
        )
    if stopped.error_kind is ErrorKind.INVALID:
        return InvalidInput(stopped.message, fields=_fields(stopped.details), code=stopped.code)
    found = _CLASSES.get(stopped.error_kind, CartritaError)
    return found(
        stopped.message,
        code=stopped.code,
        details=stopped.details,
        retry_after=stopped.retry_after,
    )


def _fields(details: JsonObject) -> dict[str, list[str]]:
    """The fields that the end of a run names, which runs of an earlier version do not have."""
    fields = details.get("fields")
    return msgspec.convert(fields, dict[str, list[str]]) if isinstance(fields, dict) else {}

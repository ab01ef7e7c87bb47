"""What an answer of the server means: a value, or one of the errors."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, cast

from pydantic import TypeAdapter, ValidationError

from cartrita_client.errors import (
    CartritaApiError,
    CartritaError,
    NotCartrita,
    Unreachable,
    WaitingForApproval,
)
from cartrita_client.generated import errors as kinds
from cartrita_client.generated import models
from cartrita_client.operations import Operation
from cartrita_client.retry_headers import retry_after

if TYPE_CHECKING:
    from cartrita_client.generated.models import ErrorData

_WAITING = "WaitingResponse"


def value(operation: Operation, status: int, headers: Mapping[str, str], body: bytes) -> Any:
    """The value of a whole answer. Raises CartritaError."""
    if not 200 <= status < 300:
        raise failure(status, headers, body)
    if operation.kind == "nothing":
        if status != 204:
            raise _foreign(status, headers)
        return None
    waiting = status == 202 and operation.waits
    try:
        found = _adapter(_WAITING if waiting else operation.answer).validate_json(body)
    except ValidationError as problem:
        raise _unexpected(status, headers, problem) from None  # it shows what was answered
    if waiting:
        raise WaitingForApproval(found)
    return found


def failure(status: int, headers: Mapping[str, str], body: bytes) -> CartritaError:
    """The error that an answer other than the expected ones tells."""
    told = _object(body)
    code, message = told.get("code"), told.get("error") or told.get("detail")
    if status >= 400 and isinstance(code, str) and isinstance(message, str):
        return kinds.class_of(status, code)(
            message,
            code=code,
            status=status,
            details=_mapping(told.get("details")),
            fields=cast("dict[str, list[str]]", _mapping(told.get("errors"))),
            request_id=_text(told.get("request_id")) or headers.get("x-request-id"),
            retry_after=retry_after(headers),
        )
    return _stranger(status, headers)


def error_told(data: ErrorData) -> CartritaApiError:
    """The error that the last event of a run tells."""
    found = kinds.class_of(None, data.code)
    message = data.error or "The run ended early."
    return found(message, code=data.code, details=data.details, retry_after=data.retry_after)


def error_of_frame(frame: Mapping[str, Any]) -> CartritaApiError:
    """The error that a frame of a WebSocket tells."""
    code = _text(frame.get("code")) or "unknown"
    wait = frame.get("retry_after")
    return kinds.class_of(None, code)(
        _text(frame.get("error")) or "The server refused a frame.",
        code=code,
        details=_mapping(frame.get("details")),
        fields=cast("dict[str, list[str]]", _mapping(frame.get("errors"))),
        retry_after=float(wait) if isinstance(wait, int | float) else None,
    )


def not_a_stream(headers: Mapping[str, str]) -> NotCartrita:
    """What came instead of an event stream."""
    return NotCartrita(f"A stream of events was expected, and {_kind(headers)} came: {_ADVICE}")


def elsewhere(root: str, headers: Mapping[str, str]) -> NotCartrita:
    """The error where a server sends elsewhere: keys are not carried there."""
    scheme, _, rest = headers.get("location", "").partition("?")[0].rpartition("//")
    host, slash, path = rest.partition("/")
    there = f"{scheme}//{host.rpartition('@')[2]}{slash}{path}"[:200] if scheme else rest[:200]
    return NotCartrita(f"{root} sends elsewhere ({there}): use the final address as base_url.")


_ADVICE = "is base_url the address of a Cartrita server?"


def _stranger(status: int, headers: Mapping[str, str]) -> CartritaError:
    """The error of an answer that is not of this API: a proxy's, a web page, another server's."""
    if status == 429:
        text = "Something on the way asks for fewer requests."
        limited = kinds.class_of(429, "rate_limited")
        wait = retry_after(headers)
        return limited(text, code="rate_limited", status=status, retry_after=wait)
    if status in (502, 503, 504):
        return Unreachable(f"A proxy on the way answered {status}: the server is not there.")
    return _foreign(status, headers)


def _foreign(status: int, headers: Mapping[str, str]) -> NotCartrita:
    what = _kind(headers)
    return NotCartrita(f"{what[:1].upper()}{what[1:]} came with status {status}: {_ADVICE}")


def _unexpected(status: int, headers: Mapping[str, str], problem: ValidationError) -> NotCartrita:
    if "json" not in headers.get("content-type", ""):
        return _foreign(status, headers)
    where = [".".join(map(str, each["loc"])) for each in problem.errors(include_input=False)][:3]
    return NotCartrita(f"The answer is not what this client knows, at {', '.join(where)}.")


def _kind(headers: Mapping[str, str]) -> str:
    media_type = headers.get("content-type", "").partition(";")[0].strip()
    return {"text/html": "a web page", "": "nothing"}.get(media_type, media_type[:80])


@cache
def _adapter(name: str) -> TypeAdapter[Any]:
    return TypeAdapter(getattr(models, name))


def _object(body: bytes) -> Mapping[str, object]:
    try:
        return _mapping(json.loads(body))
    except (ValueError, RecursionError):
        return {}


def _mapping(found: object) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", found) if isinstance(found, dict) else {}


def _text(found: object) -> str | None:
    return found if isinstance(found, str) else None

"""What the errors of services have in common."""

from collections.abc import Mapping
from typing import cast

from cartrita.adapters.search.service import Reply
from cartrita.dialects.upstream_errors import MAX_RETRY_AFTER, ErrorBody, create_error
from cartrita.domain.errors import UpstreamError
from cartrita.domain.json import JsonObject, JsonValue
from cartrita.kit import json_answers


def read_object(body: bytes) -> JsonObject:
    """The JSON object that a body is, or an empty one."""
    try:
        value = json_answers.read(body)
    except ValueError:
        return {}
    return cast("JsonObject", value) if isinstance(value, dict) else {}


def inner_object(value: JsonObject, name: str) -> JsonObject:
    """The object in a field, or an empty one."""
    found = value.get(name)
    return found if isinstance(found, dict) else {}


def told(reply: Reply, message: JsonValue, code: JsonValue = None) -> ErrorBody:
    """What a service said, on one line and without its key."""
    return ErrorBody.masked(reply.secrets, message=message, code=code)


def usual_error(reply: Reply, body: ErrorBody, status: int | None = None) -> UpstreamError:
    """The error of a status, or of the one that it should have been."""
    return create_error(
        reply.provider,
        status or reply.status,
        body,
        label=str(reply.status),
        status=reply.status,
        headers=reply.headers,
    )


def quoted(body: ErrorBody) -> str:
    """The words of a service after a sentence of ours, if there are any."""
    return f" {body.message}" if body.message else ""


def seconds(value: JsonValue) -> float | None:
    """A time to wait, if it is a usable one."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 <= value <= MAX_RETRY_AFTER else None


def number_in(headers: Mapping[str, str], name: str) -> int | None:
    """The whole number that a header holds."""
    text = headers.get(name, "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None

"""Converts error responses, and both kinds of error event in a stream, into domain errors."""

import msgspec

from cartrita.dialects import openai_errors
from cartrita.dialects.openai_errors import from_response
from cartrita.domain.errors import UpstreamError
from cartrita.domain.json import JsonObject, JsonValue
from cartrita.kit.secret import Secret

__all__ = ["from_failure", "from_frame", "from_response"]


def from_frame(provider: str, data: str | bytes, secrets: tuple[Secret, ...] = ()) -> UpstreamError:
    """The error of an `error` event."""
    return openai_errors.from_frame(provider, data, secrets)


def from_failure(
    provider: str, error: JsonValue, secrets: tuple[Secret, ...] = ()
) -> UpstreamError:
    """The error of a response that failed: its field `error`, which may be absent."""
    body: JsonObject = {"error": error if isinstance(error, dict) else {"code": "server_error"}}
    return openai_errors.from_frame(provider, msgspec.json.encode(body), secrets)

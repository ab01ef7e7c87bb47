"""The part of error conversion that all dialects share: shapes, retry table, masking of keys.

A provider's own message is passed on, shortened and without anything that looks like a key. Errors
about credentials have a message of ours instead, because providers repeat the key in theirs.
"""

import math
import re
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from types import MappingProxyType
from typing import Self, cast

import msgspec

from cartrita.dialects import secret_masking
from cartrita.dialects.refused_content import names_content
from cartrita.domain.errors import (
    UpstreamAuth,
    UpstreamError,
    UpstreamLimited,
    UpstreamMalformed,
    UpstreamOverloaded,
    UpstreamQuota,
    UpstreamRejected,
)
from cartrita.domain.json import JsonObject, JsonValue
from cartrita.kit import json_answers
from cartrita.kit.secret import Secret
from cartrita.kit.text import storable_text

FORBIDDEN = 403
MAX_RETRY_AFTER = 86_400.0
"""Seconds; a longer Retry-After is ignored, like one that is not a time."""

WEB_PAGE = "a web page"
"""What `unexpected_content` calls a response in HTML."""

WRONG_ADDRESS = "upstream_wrong_address"
"""The code of errors that tell of a wrong base URL: there is a web page, or a redirect."""

REFUSED_FIELD = "upstream_field"
"""The detail with the provider's name of a field, where `upstream_param` is the caller's name."""

_MAX_TEXT = 300
_KEY = re.compile(r"\b(?:Bearer\s+\S+|(?:sk|pk|rk|hf|gsk|xai|ck|key|api)[-_][\w*.\-]{6,})", re.I)
_NO_HEADERS: Mapping[str, str] = MappingProxyType({})


class ErrorBody(msgspec.Struct, frozen=True):
    """What a provider said about an error, with keys masked; fields that it left out are empty."""

    message: str = ""
    type: str = ""
    code: str = ""
    param: str = ""

    @classmethod
    def masked(
        cls,
        secrets: tuple[Secret, ...],
        *,
        message: JsonValue = None,
        type_: JsonValue = None,
        code: JsonValue = None,
        param: JsonValue = None,
    ) -> Self:
        """The values as one line of text each, without `secrets` and what looks like a key."""
        message, type_, code, param = (
            _mask(value, secrets) for value in (message, type_, code, param)
        )
        return cls(message, type_, code, param)

    def matches(self, pattern: re.Pattern[str]) -> bool:
        """Whether the pattern is found in the type or the code."""
        return bool(pattern.search(self.type) or pattern.search(self.code))

    @property
    def details(self) -> JsonObject:
        """Type, code and param, for the details of an error."""
        fields = (("type", self.type), ("code", self.code), ("param", self.param))
        return {f"upstream_{name}": value for name, value in fields if value}


def _code(fields: JsonObject) -> JsonValue:
    return fields.get("code")


def parse_body(
    data: str | bytes,
    secrets: tuple[Secret, ...],
    code_of: Callable[[JsonObject], JsonValue] = _code,
) -> ErrorBody:
    """What the body says; empty if it is not JSON of a known shape.

    The fields, of which `code_of` reads the code, are those of `error`, or of the body itself.
    """
    try:
        body: JsonValue = json_answers.read(data)
    except ValueError:
        return ErrorBody()
    if not isinstance(body, dict):
        return ErrorBody()
    inner = body.get("error") or body
    if not isinstance(inner, dict):
        return ErrorBody.masked(secrets, message=inner)
    fields = cast("JsonObject", inner)
    return ErrorBody.masked(
        secrets,
        message=fields.get("message") or fields.get("detail") or body.get("message"),
        type_=fields.get("type"),
        code=code_of(fields),
        param=fields.get("param"),
    )


def response_error(
    provider: str,
    status: int,
    body: bytes,
    headers: Mapping[str, str],
    *,
    error_body: ErrorBody,
    equivalent_status: int,
) -> UpstreamError:
    """The error of a response with an error status, whose `body` says `error_body`."""
    return wrong_address(provider, status, body) or create_error(
        provider,
        equivalent_status,
        error_body,
        label=str(status),
        status=status,
        headers=headers,
    )


def status_of(status: int, body: ErrorBody, *, quota: bool) -> int:
    """The status that says what the body says: a few errors come with a misleading one.

    `quota` tells that the body is about the account's credit.
    """
    if quota:
        return 402
    if status >= 500 and body.code == "invalid_request":  # this is how CometAPI rejects a request
        return 400
    return status


def create_error(
    provider: str,
    equivalent_status: int,
    body: ErrorBody,
    *,
    label: str,
    status: int | None = None,
    headers: Mapping[str, str] = _NO_HEADERS,
) -> UpstreamError:
    """The error for a status, or for what would have had this status as a response.

    The retry table: 408, 409, 429 and 5xx are retryable, unless `X-Should-Retry` says otherwise.
    `label` is shown in the message; `status` is the actual one, if there is one. A 403 is about the
    credential, unless it names what was sent: then another provider may accept it.
    """
    should_retry = headers.get("x-should-retry", "").lower()
    kind = _error_class(equivalent_status, should_retry)
    if equivalent_status == FORBIDDEN:
        status = status or FORBIDDEN
        if names_content(body.message, body.code):
            kind = UpstreamRejected
    error = kind(
        _message(kind, provider, label, body),
        provider=provider,
        status=status,
        details=body.details,
        retry_after=retry_after(headers),
        retryable=kind.retryable and should_retry != "false",
    )
    if kind in (UpstreamRejected, UpstreamLimited):
        error.words = body.message
    return error


def wrong_address(provider: str, status: int, body: bytes) -> UpstreamMalformed | None:
    """The error of a redirect, or of a web page with status 404 or 405; None for others.

    It is not retryable, because the configured base URL is wrong.
    """
    if 300 <= status < 400:
        message = (
            f"{provider} answered with a redirect ({status}), which is never followed. "
            "Set its base URL to the final address."
        )
    elif status in (404, 405) and body.lstrip()[:1] == b"<":
        message = f"{provider} answered with a web page ({status}). Check its base URL."
    else:
        return None
    return UpstreamMalformed(
        message, provider=provider, status=status, code=WRONG_ADDRESS, retryable=False
    )


def unexpected_content(provider: str, status: int, content: str) -> UpstreamMalformed:
    """The error of a successful response whose content is of another format."""
    return UpstreamMalformed(
        f"{provider} answered with {content} instead of a model's answer. Check its base URL.",
        provider=provider,
        status=status,
        code=WRONG_ADDRESS if content == WEB_PAGE else None,
    )


def retry_after(headers: Mapping[str, str]) -> float | None:
    """The seconds to wait, if the provider sent a usable number or date.

    A date is compared with the response's own Date, so that clocks need not agree.
    """
    milliseconds = _parse_number(headers.get("retry-after-ms", ""))
    if milliseconds is not None:
        return _within_bounds(milliseconds / 1000)
    value = headers.get("retry-after", "")
    seconds = _parse_number(value)
    if seconds is None:
        seconds = _seconds_between(headers.get("date", ""), value)
    return _within_bounds(seconds)


def _error_class(status: int, should_retry: str) -> type[UpstreamError]:
    if status in (401, FORBIDDEN):
        return UpstreamAuth
    if status == 402:
        return UpstreamQuota
    if status == 429:
        return UpstreamLimited
    if should_retry == "true" or status in (408, 409) or status >= 500:
        return UpstreamOverloaded
    return UpstreamRejected


def _message(kind: type[UpstreamError], provider: str, label: str, body: ErrorBody) -> str:
    if kind is UpstreamAuth:
        return (
            f"{provider} refused the credential that is configured for it ({label}). "
            "Check the key and what it may do."
        )
    if kind is UpstreamQuota:
        return f"The account at {provider} is out of credit or over its spending limit ({label})."
    ending = f": {body.message}" if body.message else "."
    if kind is UpstreamLimited:
        return f"{provider} takes no more requests at the moment ({label}){ending}"
    if kind is UpstreamRejected:
        return f"{provider} did not accept the request ({label}){ending}"
    return f"{provider} failed to answer ({label}){ending}"


def _mask(value: JsonValue, secrets: tuple[Secret, ...]) -> str:
    """One short line without control characters and keys; "" if it is no text or number."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    text = " ".join(storable_text(secret_masking.masked(str(value), secrets, _MAX_TEXT)).split())
    text = _KEY.sub(secret_masking.MASK, text)
    return text if len(text) <= _MAX_TEXT else text[: _MAX_TEXT - 1] + "…"


def _parse_number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _seconds_between(start: str, end: str) -> float | None:
    try:
        return (parsedate_to_datetime(end) - parsedate_to_datetime(start)).total_seconds()
    except (ValueError, TypeError):  # not a date, or only one of the two has a time zone
        return None


def _within_bounds(seconds: float | None) -> float | None:
    if seconds is None or not math.isfinite(seconds) or not 0 <= seconds <= MAX_RETRY_AFTER:
        return None
    return seconds

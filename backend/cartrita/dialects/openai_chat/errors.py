"""What a failed call means: status and body, or an error amid the stream, as the domain's errors.

Both carry the same few words in many shapes: `{"error": {"message", "type", "code", "param"}}`,
`{"error": "..."}`, `{"message": "..."}`, `{"detail": "..."}`. The vendor's sentence is passed on,
shortened and without anything that looks like a key; about credentials we use our own words,
because vendors repeat the key there.
"""

import json
import math
import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import cast

import msgspec

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
from cartrita.kit.secret import Secret
from cartrita.kit.text import storable_text

MAX_RETRY_AFTER = 86_400.0
"""Seconds. Whoever asks for longer, or for something that is no time, asked for nothing."""

_MAX_SENTENCE = 300
_KEYLIKE = re.compile(
    r"\b(?:Bearer\s+\S+|(?:sk|pk|rk|hf|gsk|xai|ck|key|api)[-_][\w*.\-]{6,})", re.I
)
_QUOTA = re.compile(r"insufficient_quota|quota_exceeded|billing|spend|credit|payment", re.I)
_LIMIT = re.compile(r"rate_?limit|too_many_requests", re.I)
_AUTH = re.compile(r"authentication|invalid_api_key|unauthorized|permission|forbidden", re.I)
_REJECTED = re.compile(r"invalid_request|not_found|context_length|bad_?request|validation", re.I)


class UpstreamFailed(UpstreamOverloaded):
    """It failed, and said itself that trying again does not help."""

    retryable = False


class UpstreamSpent(UpstreamLimited):
    """It takes no more requests, and said itself that trying again does not help."""

    retryable = False


class Misaddressed(UpstreamMalformed):
    """Something answers there, but not this wire: the address is wrong."""

    retryable = False


class _Complaint(msgspec.Struct, frozen=True):
    """What a vendor said of an error, as far as it said anything."""

    sentence: str = ""
    type: str = ""
    code: str = ""
    param: str = ""

    def matches(self, pattern: re.Pattern[str]) -> bool:
        return bool(pattern.search(self.type) or pattern.search(self.code))

    @property
    def details(self) -> JsonObject:
        told: JsonObject = {}
        for name, value in (("type", self.type), ("code", self.code), ("param", self.param)):
            if value:
                told[f"upstream_{name}"] = value
        return told


def from_answer(
    provider: str,
    status: int,
    body: bytes,
    headers: Mapping[str, str],
    secrets: tuple[Secret, ...] = (),
) -> UpstreamError:
    """What an answer with an error status means; `headers` have lower-case names."""
    if 300 <= status < 400:
        return Misaddressed(
            f"{provider} answered with a redirect ({status}), which is never followed. "
            "Set its base URL to the final address.",
            provider=provider,
            status=status,
        )
    if status in (404, 405) and _is_page(body):
        return Misaddressed(
            f"{provider} answered with a web page ({status}). Check its base URL.",
            provider=provider,
            status=status,
        )
    complaint = _complaint(_parsed(body), secrets)
    again = headers.get("x-should-retry", "").lower()
    kind = _kind(status, complaint, again)
    return kind(
        _sentence(kind, provider, str(status), complaint),
        provider=provider,
        status=status,
        details=complaint.details,
        retry_after=retry_after(headers),
    )


def from_frame(provider: str, data: str | bytes, secrets: tuple[Secret, ...] = ()) -> UpstreamError:
    """What an error amid a stream means; a code that is a status counts before the type."""
    complaint = _complaint(_parsed(data), secrets)
    told = re.fullmatch(r"[45]\d\d", complaint.code)
    kind = _kind(int(told[0]) if told else _status_of(complaint), complaint, "")
    label = complaint.type or complaint.code or "error"
    return kind(
        _sentence(kind, provider, label, complaint),
        provider=provider,
        status=int(told[0]) if told else None,
        details=complaint.details,
    )


def not_an_answer(provider: str, status: int, what: str) -> UpstreamMalformed:
    """An answer that claims success and is of another format."""
    return UpstreamMalformed(
        f"{provider} answered with {what} instead of a chat completion. Check its base URL.",
        provider=provider,
        status=status,
    )


def retry_after(headers: Mapping[str, str]) -> float | None:
    """How many seconds to wait, where the vendor gave a usable number or date.

    A date counts from the answer's own Date, so that clocks need not agree.
    """
    milliseconds = _number(headers.get("retry-after-ms", ""))
    if milliseconds is not None:
        return _sane(milliseconds / 1000)
    value = headers.get("retry-after", "")
    seconds = _number(value)
    return _sane(_until(value, headers.get("date", "")) if seconds is None else seconds)


def _kind(status: int, complaint: _Complaint, again: str) -> type[UpstreamError]:
    """The retry table: 408, 409, 429, 5xx, unless the vendor says otherwise (`again`)."""
    if status in (401, 403):
        return UpstreamAuth
    if status == 402 or (status in (400, 429) and complaint.matches(_QUOTA)):
        return UpstreamQuota
    if status == 429:
        return UpstreamSpent if again == "false" else UpstreamLimited
    if again == "true":
        return UpstreamOverloaded
    if status >= 500 and complaint.code == "invalid_request":  # CometAPI's way to reject
        return UpstreamRejected
    if status in (408, 409) or status >= 500:
        return UpstreamFailed if again == "false" else UpstreamOverloaded
    return UpstreamRejected


def _sentence(kind: type[UpstreamError], provider: str, label: str, complaint: _Complaint) -> str:
    if kind is UpstreamAuth:
        return (
            f"{provider} refused the credential that is configured for it ({label}). "
            "Check the key and what it may do."
        )
    if kind is UpstreamQuota:
        return f"The account at {provider} is out of credit or over its spending limit ({label})."
    said = f": {complaint.sentence}" if complaint.sentence else "."
    if issubclass(kind, UpstreamLimited):
        return f"{provider} takes no more requests at the moment ({label}){said}"
    if kind is UpstreamRejected:
        return f"{provider} did not accept the request ({label}){said}"
    return f"{provider} failed to answer ({label}){said}"


def _status_of(complaint: _Complaint) -> int:
    """The status that an error amid a stream would have had."""
    table = ((_QUOTA, 402), (_LIMIT, 429), (_AUTH, 401), (_REJECTED, 400))
    return next((status for pattern, status in table if complaint.matches(pattern)), 500)


def _parsed(body: str | bytes) -> JsonValue:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _is_page(body: bytes) -> bool:
    return body.lstrip()[:1] == b"<"


def _complaint(body: JsonValue, secrets: tuple[Secret, ...]) -> _Complaint:
    if not isinstance(body, dict):
        return _Complaint()
    inner = body.get("error") or body
    if not isinstance(inner, dict):
        return _Complaint(sentence=_clean(inner, secrets))
    told = cast("JsonObject", inner)
    sentence = told.get("message") or told.get("detail") or body.get("message")
    return _Complaint(
        sentence=_clean(sentence, secrets),
        type=_clean(told.get("type"), secrets),
        code=_clean(told.get("code"), secrets),
        param=_clean(told.get("param"), secrets),
    )


def _clean(value: JsonValue, secrets: tuple[Secret, ...]) -> str:
    """One short line without control characters and keys; "" for what is no text or number."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    text = " ".join(storable_text(str(value)[: 4 * _MAX_SENTENCE]).split())
    for secret in secrets:
        if secret:
            text = text.replace(secret.reveal(), "***")
    text = _KEYLIKE.sub("***", text)
    return text if len(text) <= _MAX_SENTENCE else text[: _MAX_SENTENCE - 1] + "…"


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _until(date: str, now: str) -> float | None:
    try:
        return (parsedate_to_datetime(date) - parsedate_to_datetime(now)).total_seconds()
    except (ValueError, TypeError):  # no date, or one of the two without a time zone
        return None


def _sane(seconds: float | None) -> float | None:
    if seconds is None or not math.isfinite(seconds) or not 0 <= seconds <= MAX_RETRY_AFTER:
        return None
    return seconds

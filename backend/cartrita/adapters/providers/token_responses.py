"""Parses the responses of OAuth 2 token endpoints: a token, or why there is none."""

import math
import re
from collections.abc import Mapping
from typing import Self

import msgspec

from cartrita.dialects.upstream_errors import ErrorBody, retry_after
from cartrita.domain.errors import (
    UpstreamAuth,
    UpstreamError,
    UpstreamMalformed,
    UpstreamOverloaded,
)
from cartrita.domain.json import JsonObject, JsonValue
from cartrita.kit import json_answers
from cartrita.kit.secret import Secret

DEFAULT_LIFETIME = 600.0
"""Seconds; of a token whose response does not tell."""

_SENTENCES = {
    "invalid_client": "does not know the client; check its id, its secret and how they are sent",
    "unauthorized_client": "does not allow this client to fetch tokens by client credentials",
    "unsupported_grant_type": "does not issue tokens for client credentials",
    "invalid_scope": "does not grant the scope; check it",
    "invalid_grant": "refused the client's credentials",
    "invalid_request": "did not accept the request",
}
_CODE = re.compile(r"[a-z_]{1,64}")


class AccessToken(msgspec.Struct, frozen=True):
    """A token and the seconds for which it is valid."""

    value: Secret
    lifetime: float


class TokenFailure(msgspec.Struct, frozen=True, kw_only=True):
    """Why a token endpoint gave no token: `sentence` continues "The token endpoint of x ..."."""

    kind: type[UpstreamError]
    sentence: str
    code: str = ""
    status: int | None = None
    retryable: bool = False
    retry_after: float = 0.0

    @classmethod
    def of(cls, error: UpstreamError) -> Self:
        """The failure of an exchange that brought no response."""
        prefix = f"{error.provider} "
        return cls(
            kind=type(error),
            sentence=error.message.removeprefix(prefix).removesuffix("."),
            status=error.status,
            retryable=error.retryable,
        )

    @classmethod
    def expired(cls) -> Self:
        """The endpoint issued a token that was not valid for long enough to be used."""
        return cls(kind=UpstreamMalformed, sentence="issued a token that expires at once")

    @property
    def unknown_client(self) -> bool:
        """Whether the endpoint did not recognise the client."""
        return self.code == "invalid_client" or (self.status == 401 and not self.code)

    def error(self, provider: str, retry_after: float | None) -> UpstreamError:
        """The error for a caller of `provider`."""
        code = f" ({self.code})" if self.code else ""
        return self.kind(
            f"The token endpoint of {provider} {self.sentence}{code}.",
            provider=provider,
            status=self.status,
            details={"oauth_error": self.code} if self.code else None,
            retry_after=retry_after if self.retryable else None,
            retryable=self.retryable,
        )


def parse_token(
    status: int, body: bytes, headers: Mapping[str, str], secrets: tuple[Secret, ...] = ()
) -> AccessToken | TokenFailure:
    """The token of a response; header names are in lower case."""
    page = "html" in headers.get("content-type", "").lower() or body.lstrip()[:1] == b"<"
    if status >= 500 or status == 429:
        return TokenFailure(
            kind=UpstreamOverloaded,
            sentence=f"is overloaded or failing ({status})",
            status=status,
            retryable=True,
            retry_after=min(retry_after(headers) or 0.0, 300.0),
        )
    if page or 300 <= status < 400:
        what = "a redirect" if 300 <= status < 400 else "a web page"
        return _malformed(status, f"answered with {what}; check its URL")
    response = _decode(body)
    if response is None:
        return _malformed(status, "answered with something that is not JSON; check its URL")
    if response.get("error") or not 200 <= status < 300:
        return _refusal(status, response, secrets)
    token = response.get("access_token")
    if not isinstance(token, str) or not re.fullmatch(r"[!-~]+", token):
        return _malformed(status, "answered without a usable access_token")
    return AccessToken(Secret(token), _lifetime(response.get("expires_in")))


def _decode(body: bytes) -> JsonObject | None:
    try:
        value: JsonValue = json_answers.read(body)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _refusal(status: int, response: JsonObject, secrets: tuple[Secret, ...]) -> TokenFailure:
    error = response.get("error")
    code = error if isinstance(error, str) and _CODE.fullmatch(error) else ""
    if code == "temporarily_unavailable":
        return TokenFailure(
            kind=UpstreamOverloaded,
            sentence="is not available at the moment",
            code=code,
            status=status,
            retryable=True,
        )
    sentence = _SENTENCES.get(code, f"refused the client ({status})")
    said = ErrorBody.masked(secrets, message=response.get("error_description")).message
    return TokenFailure(
        kind=UpstreamAuth,
        sentence=f"{sentence}; it says: {said}" if said else sentence,
        code=code,
        status=status,
    )


def _malformed(status: int, sentence: str) -> TokenFailure:
    return TokenFailure(kind=UpstreamMalformed, sentence=sentence, status=status)


def _lifetime(value: JsonValue) -> float:
    if not isinstance(value, str | int | float):
        return DEFAULT_LIFETIME
    try:
        seconds = float(value)
    except ValueError:
        return DEFAULT_LIFETIME
    return seconds if math.isfinite(seconds) and seconds > 0 else DEFAULT_LIFETIME

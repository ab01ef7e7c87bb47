"""The headers that a relay passes on: of requests to the provider, of responses to the caller.

Both are allowlists. A credential, a cookie or an account's identity never passes in either
direction: callers may share the operator's account.
"""

from collections.abc import Mapping

from cartrita.dialects import secret_masking
from cartrita.domain.relays import CALLERS_HEADERS
from cartrita.kit.secret import Secret

_RESPONSE = frozenset(
    {
        "content-type",
        "openai-processing-ms",
        "openai-version",
        "request-id",
        "retry-after",
        "retry-after-ms",
        "x-request-id",
        "x-should-retry",
    }
)
_RESPONSE_PREFIXES = ("x-ratelimit-", "anthropic-ratelimit-")


def request_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Those of a caller's headers that the provider gets; names are in lower case."""
    return {name: value for name, value in headers.items() if name in CALLERS_HEADERS}


def response_headers(headers: Mapping[str, str], secrets: tuple[Secret, ...]) -> dict[str, str]:
    """Those of a provider's headers that the caller gets; names are in lower case.

    One that holds a secret, in its name or its value, is none of them.
    """
    return {
        name: value
        for name, value in headers.items()
        if (name in _RESPONSE or name.startswith(_RESPONSE_PREFIXES))
        and not secret_masking.reveals(f"{name}: {value}", secrets)
    }

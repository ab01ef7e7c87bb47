"""What helps where Langfuse does not take what it is sent, by what came of it."""

from collections.abc import Mapping
from typing import Final

from cartrita.adapters.tracing.complaints import Outcome

_KEYS: Final = (
    "Langfuse does not know these keys: LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET_KEY must be of one "
    "project of the server at LANGFUSE_BASE_URL."
)
_MOVED: Final = "Set LANGFUSE_BASE_URL to where the server is: it says that it is somewhere else."
FIXES: Final[Mapping[Outcome, str]] = {
    0: "Look whether the Langfuse server at LANGFUSE_BASE_URL can be reached, and is well.",
    301: _MOVED,
    302: _MOVED,
    307: _MOVED,
    308: _MOVED,
    401: _KEYS,
    403: _KEYS,
    404: "There is no Langfuse from 4.59 on at LANGFUSE_BASE_URL.",
    413: "Lower CARTRITA_TRACING_VALUE_MAX: Langfuse takes no requests of this size.",
    429: "The project is over its quota: lower CARTRITA_TRACING_SAMPLE, or raise the quota.",
    "malformed": "What answers at LANGFUSE_BASE_URL is no Langfuse: look whether a portal, a page "
    "to sign in or another server is there.",
    "refused": "The log of the server at LANGFUSE_BASE_URL says why it refuses some spans.",
}

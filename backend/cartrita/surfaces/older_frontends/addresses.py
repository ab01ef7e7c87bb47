"""Where older frontends ask, and where the native API answers the same."""

import re
from typing import Final, NamedTuple

HEALTH: Final = "/health"
SOCKET: Final = "/ws/chat"

_API: Final = "/api"
_WITHOUT_PREFIX: Final = frozenset(
    {"agents", "auth", "chat", "conversations", "files", "search", "settings", "upload", "voice"}
)
"""What they ask for at the root if their base URL does not end in `/api`."""
_OF_SDKS: Final = "/chat/completions"
_CHANGES_OF_STATE: Final = re.compile(r"/api/conversations/[^/]+/(archive|pin)")


class Address(NamedTuple):
    """A method and a path of the native API."""

    method: str
    path: str


def native_address(method: str, path: str) -> Address | None:
    """The native address for that of an older frontend; None for what is none of theirs.

    Some of their methods have `/api` in their paths, beside a base URL that has it too.
    """
    path = _with_prefix(path)
    if path.startswith(f"{_API}{_API}/"):
        path = path[len(_API) :]
    if path == f"{_API}{HEALTH}":
        path = HEALTH
    if path != HEALTH and not path.startswith(f"{_API}/"):
        return None
    if method == "PUT" and _CHANGES_OF_STATE.fullmatch(path):
        method = "POST"
    return Address(method, path)


def _with_prefix(path: str) -> str:
    first = path[1:].partition("/")[0]
    return f"{_API}{path}" if first in _WITHOUT_PREFIX and path != _OF_SDKS else path

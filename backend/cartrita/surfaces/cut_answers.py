"""Why an answer ended before it was whole, for the log."""

from typing import Final, cast

from starlette.types import Scope

CLIENT_DISCONNECTED: Final = "client_disconnected"
_CUT: Final = "cut"
"""In the state of a request."""


def mark_cut(scope: Scope, code: str) -> None:
    """This ended the answer to a request, of which something may have been sent."""
    scope["state"][_CUT] = code


def cut_of(scope: Scope) -> str | None:
    """The code of what ended the answer to a request; None if it is whole."""
    return cast("str | None", scope["state"].get(_CUT))

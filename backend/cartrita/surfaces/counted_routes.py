"""What requests are counted under: templates of routes, never paths as they came."""

from typing import Final

from starlette.types import Scope

_UNMATCHED: Final = "unmatched"
_ROUTE: Final = "route"


def mark_route(scope: Scope, route: object) -> None:
    """This answers a request; FastAPI marks its own routes so."""
    scope[_ROUTE] = route


def route_of(scope: Scope) -> str:
    """The template of the route that a request found, or that it found none."""
    path: object = getattr(scope.get(_ROUTE), "path", None)
    return path if isinstance(path, str) else _UNMATCHED

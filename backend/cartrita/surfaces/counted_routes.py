"""What requests are counted under: surfaces and templates of routes, never paths as they came."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from starlette.types import Scope

_SURFACES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "/": "native",
        "/v1": "openai",
        "/v1/messages": "anthropic",
        "/a2a": "a2a",
        "/.well-known": "a2a",
        "/mcp": "mcp",
        "/assets": "console",
    }
)
"""By path: the longest one that a request is at or below."""
_PAGE: Final = "/"
_UNMATCHED: Final = "unmatched"
_ROUTE: Final = "route"


def surface_of(path: str) -> str:
    """The surface that a request addresses."""
    if path == _PAGE:
        return "console"
    return _SURFACES[max((at for at in _SURFACES if _is_within(path, at)), key=len)]


def mark_route(scope: Scope, route: object) -> None:
    """This answers a request; FastAPI marks its own routes so."""
    scope[_ROUTE] = route


def route_of(scope: Scope) -> str:
    """The template of the route that a request found, or that it found none."""
    path: object = getattr(scope.get(_ROUTE), "path", None)
    return path if isinstance(path, str) else _UNMATCHED


def _is_within(path: str, parent: str) -> bool:
    return parent in (_PAGE, path) or path.startswith(f"{parent}/")

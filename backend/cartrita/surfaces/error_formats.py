"""Answers errors in the format of the surface that a request addresses.

Errors of routing and of middleware come before any endpoint, so only the request tells whose format
its caller reads.
"""

from collections.abc import Callable, Mapping
from typing import TypeAlias

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from cartrita.domain.errors import CartritaError
from cartrita.surfaces.anthropic import errors as anthropic
from cartrita.surfaces.framework_errors import MethodNotAllowed, to_cartrita_error
from cartrita.surfaces.native import errors as native
from cartrita.surfaces.openai import errors as openai

ErrorFormat: TypeAlias = Callable[[Request, CartritaError], Response]
"""Renders an error with the status and the envelope of one surface."""

FORMATS: Mapping[str, ErrorFormat] = {
    "/": native.error_response,
    "/v1": openai.error_response,
    "/v1/messages": anthropic.error_response,
}
"""By path: the longest one that a request is at or below. The console uses the native API."""


def format_for(path: str) -> ErrorFormat:
    """The error format for a request's path."""
    return FORMATS[max((at for at in FORMATS if _is_within(path, at)), key=len)]


async def respond(request: Request, error: Exception) -> Response:
    """Exception handler: answer any error, an unexpected one as an internal error."""
    converted = to_cartrita_error(request, error)
    response = _format_of(request)(request, converted)
    if isinstance(converted, MethodNotAllowed):
        response.headers["Allow"] = ", ".join(converted.allowed)
    return response


async def send_error(error: Exception, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer an error that reached the middleware."""
    response = await respond(Request(scope), error)
    await response(scope, receive, send)


def _format_of(request: Request) -> ErrorFormat:
    """The format for a request; the models are asked for by the SDKs of both vendors."""
    path = request.scope["path"]
    if _is_within(path, "/v1/models") and "anthropic-version" in request.headers:
        return anthropic.error_response
    return format_for(path)


def _is_within(path: str, parent: str) -> bool:
    return parent in ("/", path) or path.startswith(f"{parent}/")

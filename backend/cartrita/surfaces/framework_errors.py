"""Converts errors of FastAPI, Starlette and Pydantic to the application's errors."""

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.routing import Match

from cartrita.domain.errors import CartritaError, ErrorKind, InvalidInput, Malformed, NotFound


class MethodNotAllowed(CartritaError):
    """The address exists, but not for this method; `allowed` are the methods that it takes."""

    kind = ErrorKind.MALFORMED
    default_code = "method_not_allowed"

    def __init__(self, allowed: Sequence[str]) -> None:
        super().__init__("This address does not answer to this method: see /docs.")
        self.allowed = tuple(allowed)


def to_cartrita_error(request: Request, error: Exception) -> CartritaError:
    """Convert any error of a request. Unexpected ones become internal and reveal nothing."""
    match error:
        case CartritaError():
            return error
        case RequestValidationError():
            return to_invalid_input(error.errors(), skip=1)
        case HTTPException():
            return _routing_error(request, error)
        case _:
            return CartritaError(
                "Something broke on our side; the log knows it by this request_id."
            )


def to_invalid_input(errors: Sequence[Any], *, skip: int = 0) -> InvalidInput:
    """Convert Pydantic's ErrorDetails; `skip` omits the first items of each location."""
    fields: dict[str, list[str]] = {}
    for found in errors:
        location = ".".join(str(step) for step in found["loc"][skip:]) or "body"
        fields.setdefault(location, []).append(_problem(found))
    first, problems = next(iter(fields.items()))
    return InvalidInput(f"{first}: {problems[0]}", fields=fields)


def body_to_invalid_input(error: ValidationError) -> InvalidInput:
    """Convert the ValidationError of a request body."""
    return to_invalid_input(error.errors(include_url=False, include_input=False))


def _routing_error(request: Request, error: HTTPException) -> CartritaError:
    if error.status_code == 404:
        return NotFound("There is nothing at this address: see /docs.")
    if error.status_code == 405:
        return MethodNotAllowed(_allowed_methods(request))
    return Malformed(str(error.detail))


def _allowed_methods(request: Request) -> list[str]:
    # Starlette's own Allow header has the methods of the first matching route only.
    contexts = iter_route_contexts(request.app.routes)
    here = [context for context in contexts if context.matches(request.scope)[0] != Match.NONE]
    return sorted({method for context in here for method in context.methods or ()})


def _problem(found: Mapping[str, Any]) -> str:
    text = str(found["msg"]).removeprefix("Value error, ")
    return text[:1].lower() + text[1:]

"""Calls of methods: by whom they are made, what answers them, and what refuses them."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final, TypeAlias

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from cartrita.application.runs.chat_commands import ChatCommand
from cartrita.domain.errors import CartritaError, ErrorKind
from cartrita.domain.principals import Principal
from cartrita.domain.runs import Run
from cartrita.kit import ids
from cartrita.surfaces.log_keys import bind_run
from cartrita.surfaces.rpc.json_rpc import (
    METHOD_NOT_FOUND,
    RpcCall,
    RpcError,
    json_response,
    result_bytes,
)
from cartrita.surfaces.services import Services

_OF_HTTP: Final = frozenset(
    {
        ErrorKind.BUDGET,
        ErrorKind.FORBIDDEN,
        ErrorKind.RATE_LIMITED,
        ErrorKind.UNAUTHENTICATED,
    }
)


class MethodCall(msgspec.Struct, frozen=True):
    """A call of a method, by whom, and of which agent; None is the one that answers by itself."""

    request: Request
    services: Services
    principal: Principal
    rpc: RpcCall
    agent_id: str | None = None

    def answer(self, result: object) -> Response:
        """The response with the result."""
        return json_response(result_bytes(self.rpc.id, result))

    async def start(self, command: ChatCommand) -> Run:
        """Start a run, and have it as it is then. Raises CartritaError as `Runs.start` does."""
        admitted = await self.services.runs.start(self.principal, command)
        bind_run(admitted.run_id)
        return await self.services.runs.get(self.principal, ids.public("run", admitted.run_id))


Method: TypeAlias = Callable[[MethodCall], Awaitable[Response]]


async def call_method(call: MethodCall, methods: Mapping[str, Method]) -> Response:
    """Call what the caller names. Raises RpcError and CartritaError."""
    found = methods.get(call.rpc.method)
    if found is None:
        raise RpcError(METHOD_NOT_FOUND, f"There is no method {call.rpc.method[:80]} here.")
    return await found(call)


def is_of_http(error: CartritaError) -> bool:
    """Whether an error is about the caller, who is told by the status of HTTP, before any body."""
    return error.kind in _OF_HTTP

"""Calls that can only be relayed, because no other dialect has anything like them."""

from collections.abc import Callable
from typing import NoReturn

from starlette.requests import HTTPConnection
from starlette.types import Receive

from cartrita.dialects.counted_bodies import CountMonitor
from cartrita.domain.errors import InvalidInput
from cartrita.domain.principals import Principal
from cartrita.domain.relays import Endpoint
from cartrita.domain.scopes import Operation
from cartrita.gateway.calls import CacheWish, Call, Relayable
from cartrita.surfaces.disconnects import UntilDisconnect
from cartrita.surfaces.services import services_of
from cartrita.surfaces.v1.call_answers import answer_headers
from cartrita.surfaces.v1.request_reading import call_options, headers_passed_on


class NotRelayed(InvalidInput):
    """The provider of the model does not speak the dialect of the request."""

    def __init__(self) -> None:
        problem = "the provider of this model has no such endpoint; choose a model of another one"
        super().__init__(f"model: {problem}", fields={"model": [problem]}, code="not_supported")


def relay_only_call(
    connection: HTTPConnection,
    principal: Principal,
    *,
    surface: str,
    endpoint: Endpoint,
    model: str,
    rewrite: Callable[[str], bytes],
    size: int,
    recorded: bool = True,
    operation: Operation = Operation.CHAT,
) -> Call:
    """A call whose answer is one JSON object, with counts and without words; see `Call`.

    `size` is the bytes of its body.
    """
    return Call(
        owner_id=principal.owner_id,
        key_id=principal.key_id,
        caller_trace=principal.caller_trace,
        surface=surface,
        name=model,
        parse=_not_relayed,
        streamed=False,
        strict=call_options(connection).strict,
        relay=Relayable(
            endpoint=endpoint,
            rewrite=rewrite,
            monitor=CountMonitor,
            headers=headers_passed_on(connection),
        ),
        cache=CacheWish(0),
        relay_only=True,
        size=size,
        recorded=recorded,
        tenant_id=principal.tenant_id,
        scopes=principal.scopes,
        operation=operation,
    )


async def relayed_body(
    connection: HTTPConnection, receive: Receive, call: Call
) -> tuple[bytes, list[tuple[str, str]]]:
    """The answer to such a call, and its headers. Raises NotRelayed, and UpstreamError."""
    opening = services_of(connection).completions.open(call)
    async with UntilDisconnect(receive), opening as answer:
        headers = answer_headers(answer)
        return b"".join([item async for item in answer.items if isinstance(item, bytes)]), headers


def _not_relayed() -> NoReturn:
    raise NotRelayed

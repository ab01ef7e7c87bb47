"""Waits for the end of a run, or until it waits for a person itself."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeAlias, TypeVar

import anyio
from starlette.requests import ClientDisconnect, Request

from cartrita.domain.approvals import Approval
from cartrita.domain.events import LoggedEvent
from cartrita.domain.ids import RunId
from cartrita.domain.principals import Principal
from cartrita.surfaces.services import Services
from cartrita.surfaces.sse import cancel_on_disconnect

T = TypeVar("T")

RunEnd: TypeAlias = LoggedEvent | tuple[Approval, ...]
"""The terminal event of a run, or the approvals that it waits for."""


async def wait_for_end(
    request: Request, services: Services, principal: Principal, run_id: RunId
) -> RunEnd:
    """Wait until a run ends or waits for a person; see `while_connected`.

    The caller must have checked the owner of the run, which continues in any case.
    """
    waited = partial(services.approvals.wait, principal, run_id)
    return await while_connected(request, services, principal, waited)


async def while_connected(
    request: Request,
    services: Services,
    principal: Principal,
    awaited: Callable[[], Awaitable[T]],
    *,
    beyond: bool = False,
) -> T:
    """What is waited for while the client does, see `OpenConnections.hold`.

    Its disconnect ends that with ClientDisconnect, the end of its key with KeyEnded.
    """
    with services.connections.hold(principal, beyond=beyond):
        return await _until_disconnect(request, awaited)


async def _until_disconnect(request: Request, awaited: Callable[[], Awaitable[T]]) -> T:
    found: list[T] = []
    async with anyio.create_task_group() as group:
        group.start_soon(cancel_on_disconnect, request.receive, group.cancel_scope)
        found.append(await awaited())
        group.cancel_scope.cancel()
    if not found:
        raise ClientDisconnect
    return found[0]

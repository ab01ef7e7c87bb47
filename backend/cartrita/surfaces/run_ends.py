"""Runs as they are followed by requests that end where a run does, or waits for a person."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import TypeAlias

from starlette.requests import Request

from cartrita.application.runs.approvals import FollowedItem, LastItem
from cartrita.domain.ids import RunId
from cartrita.domain.principals import Principal
from cartrita.domain.runs import Run
from cartrita.surfaces.disconnects import UntilDisconnect
from cartrita.surfaces.services import Services

StreamItem: TypeAlias = Run | FollowedItem
"""A run, or an item of its tail."""


async def wait_for_end(
    request: Request, services: Services, principal: Principal, run_id: RunId
) -> LastItem:
    """Wait until a run ends or waits for a person; see `while_connected`.

    The caller must have checked the owner of the run, which continues in any case.
    """
    async with while_connected(request, services, principal):
        return await services.approvals.wait(principal, run_id)


@asynccontextmanager
async def while_connected(
    request: Request, services: Services, principal: Principal, *, beyond: bool = False
) -> AsyncGenerator[None]:
    """A context that lasts while the client waits, see `OpenConnections.hold`.

    Its disconnect ends the body with ClientDisconnect, the end of its key with KeyEnded.
    """
    with services.connections.hold(principal, beyond=beyond):
        async with UntilDisconnect(request.receive):
            yield


@asynccontextmanager
async def until_end(
    services: Services, principal: Principal, run: Run
) -> AsyncGenerator[AsyncIterator[StreamItem]]:
    """The run, then its events from the first, until it ends or waits.

    The caller must have checked the owner of the run.
    """
    async with (
        services.approvals.until_last(principal, run.id) as tail,
        aclosing(_beginning_with(run, tail)) as items,
    ):
        yield items


async def _beginning_with(
    run: Run, tail: AsyncIterator[FollowedItem]
) -> AsyncGenerator[StreamItem]:
    yield run
    async for item in tail:
        yield item

"""The tails of runs for protocols whose streams end where a run waits for a person."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeAlias

import msgspec

from cartrita.domain.approvals import Approval
from cartrita.domain.events import ApprovalAsked, LoggedEvent
from cartrita.domain.principals import Principal
from cartrita.domain.runs import Queued, Run, Snapshot
from cartrita.kit.ids import public
from cartrita.surfaces.services import Services


class Waiting(msgspec.Struct, frozen=True):
    """The run waits until a person has decided on these."""

    approvals: tuple[Approval, ...]


TailItem: TypeAlias = LoggedEvent | Queued | Snapshot | Run | Waiting | None
"""An item of a run's tail, after the run itself; None means that a heartbeat is due."""


def is_last(item: TailItem) -> bool:
    """Whether the tail ends with this item."""
    return isinstance(item, Waiting) or (isinstance(item, LoggedEvent) and item.terminal)


@asynccontextmanager
async def until_end(
    services: Services, principal: Principal, run: Run
) -> AsyncGenerator[AsyncIterator[TailItem]]:
    """The run, then its events from the first, until it ends or waits.

    The caller must have checked the owner of the run.
    """
    async with services.runs.tail(run.id, 0) as tail:
        yield _until_last(services, principal, run, tail)


async def _until_last(
    services: Services,
    principal: Principal,
    run: Run,
    tail: AsyncIterator[LoggedEvent | Queued | Snapshot | None],
) -> AsyncGenerator[TailItem]:
    """What was asked and is decided ends nothing."""
    yield run
    async for item in tail:
        yield item
        if isinstance(item, LoggedEvent) and isinstance(item.event, ApprovalAsked):
            approvals = await services.approvals.waiting(principal, run.id)
            if item.event.approval_id in {public("appr", one.id) for one in approvals}:
                yield Waiting(approvals)
                return

"""The parts of a response: its run may wait for people, who are asked at the end of each part."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from typing import Final

from msgspec.structs import replace

from cartrita.dialects.openai_responses import DIALECT, approval_items
from cartrita.dialects.openai_responses.approval_items import REQUIRES_ACTION, ApprovalPlace
from cartrita.domain.deltas import FinishReason
from cartrita.domain.events import (
    ApprovalAsked,
    Event,
    LoggedEvent,
    RunCompleted,
    RunStarted,
    TextAppended,
    UsageRecorded,
    VendorPartAdded,
)
from cartrita.domain.ids import RunId
from cartrita.domain.messages import VendorPart
from cartrita.domain.principals import Principal
from cartrita.domain.runs import TailItem
from cartrita.domain.usage import Usage
from cartrita.kit import ids
from cartrita.surfaces.services import Services
from cartrita.surfaces.v1.run_answers import Tail

_NOTHING: Final[frozenset[str]] = frozenset()


@asynccontextmanager
async def open_part(
    services: Services,
    principal: Principal,
    run_id: RunId,
    *,
    after: frozenset[str] = _NOTHING,
    streamed: bool = False,
) -> AsyncGenerator[AsyncIterator[TailItem | None]]:
    """The log of a run until its end, or until it waits for people: that is an end then.

    With `after`, public ids of approvals, it begins where these were asked for. What was asked for
    and is settled is left out, but for a stream: its events must be the same whenever it is read.
    """
    part = _Part(services, principal, run_id, after, streamed)
    async with AsyncExitStack() as stack:
        tail: Tail = services.connections.holding(principal, services.runs.tail(run_id, 0))
        items = part.items(await stack.enter_async_context(tail))
        yield await stack.enter_async_context(aclosing(items))


class _Part:
    """One reading of a part."""

    def __init__(
        self,
        services: Services,
        principal: Principal,
        run_id: RunId,
        after: frozenset[str],
        streamed: bool,
    ) -> None:
        self._services = services
        self._principal = principal
        self._run_id = run_id
        self._after = set(after)
        self._begins = bool(after)
        self._streamed = streamed
        self._started: RunStarted | None = None
        self._usage = Usage()
        self._shown: set[str] = set()

    async def items(self, tail: AsyncIterator[TailItem | None]) -> AsyncGenerator[TailItem | None]:
        async for item in tail:
            if not isinstance(item, LoggedEvent):
                yield item
                continue
            event = item.event
            if isinstance(event, ApprovalAsked):
                pending = await self._pending()
                if self._shows(event.approval_id, pending):
                    yield replace(item, event=self._asked(event))
                if pending and not self._after and pending <= self._shown:
                    yield replace(item, event=self._pause())
                    return
                continue
            if isinstance(event, RunStarted):
                self._started = event
            elif self._after:
                continue
            yield replace(item, event=self._counted(event))

    def _shows(self, approval_id: str, pending: set[str]) -> bool:
        """Whether to show what is asked, which is noted."""
        before = bool(self._after)
        self._after.discard(approval_id)
        if approval_id in pending:
            self._shown.add(approval_id)
            return True
        return self._streamed and not before

    async def _pending(self) -> set[str]:
        found = await self._services.approvals.waiting(self._principal, self._run_id)
        return {ids.public("appr", approval.id) for approval in found}

    def _asked(self, event: ApprovalAsked) -> Event:
        approval_id = ids.parse("appr", event.approval_id)
        assert approval_id is not None
        place = ApprovalPlace(self._run_id, approval_id, event.arguments_hash)
        item = approval_items.request_item(place, event.name, event.arguments)
        return VendorPartAdded(VendorPart(DIALECT, item))

    def _counted(self, event: Event) -> Event:
        """The event; the usage at the end is that of this part, which begins without a gap."""
        match event:
            case UsageRecorded():
                self._usage = self._usage + event.usage
            case RunCompleted():
                return replace(event, usage=self._usage)
            case TextAppended() if self._begins:
                self._begins = False
                return replace(event, text=event.text.removeprefix("\n\n"))
            case _:
                pass
        return event

    def _pause(self) -> RunCompleted:
        started = self._started
        assert started is not None
        return RunCompleted(
            text="",
            finish_reason=FinishReason.TOOL_CALL,
            usage=self._usage,
            seconds=0.0,
            conversation_id=started.conversation_id,
            message_id=started.message_id,
            agent=started.agent,
            model=started.model,
            provider=started.provider,
            vendor_reason=REQUIRES_ACTION,
        )

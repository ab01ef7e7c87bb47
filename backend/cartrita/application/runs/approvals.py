"""Approvals of the principal's runs: waited for, and decided on."""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import Final, TypeAlias, TypeGuard

import msgspec

from cartrita.application.runs.runs import LogExpired, Runs
from cartrita.domain.approvals import Approval, Decision, Verdict
from cartrita.domain.desktop import HAND_OVER
from cartrita.domain.errors import NotFound
from cartrita.domain.events import ApprovalAsked, LoggedEvent
from cartrita.domain.ids import RunId
from cartrita.domain.ports.approvals import ApprovalStore
from cartrita.domain.principals import Principal
from cartrita.domain.runs import Run, TailItem
from cartrita.domain.scopes import Operation
from cartrita.domain.tools import COMPUTER
from cartrita.kit import ids

_OF_DESKTOPS: Final = frozenset((COMPUTER, HAND_OVER))
"""The tools on whose calls only those decide who may use desktops."""


class Waiting(msgspec.Struct, frozen=True):
    """The run waits until a person has decided on these."""

    approvals: tuple[Approval, ...]


FollowedItem: TypeAlias = TailItem | Waiting | None
"""An item of a tail that is followed until its last; None means that a heartbeat is due."""

LastItem: TypeAlias = LoggedEvent | Waiting
"""The terminal event of a run, or the approvals that it waits for."""


def is_last(item: object) -> TypeGuard[LastItem]:
    """Whether a tail ends with this item."""
    return isinstance(item, Waiting) or (isinstance(item, LoggedEvent) and item.terminal)


class RunApprovals:
    """Decisions on what the tools of runs want to do."""

    def __init__(self, store: ApprovalStore, runs: Runs) -> None:
        self._store = store
        self._runs = runs

    async def decide(
        self, principal: Principal, run: str, approval: str, decision: Decision, arguments_hash: str
    ) -> Run:
        """Decide on a call with exactly the arguments of this hash; the run goes on after the last.

        Raises NotFound, Forbidden for a key that may not use what is decided on, and Conflict where
        it is too late, or was decided otherwise.
        """
        found = await self._runs.get(principal, run)
        approval_id = ids.parse("appr", approval)
        if approval_id is None:
            raise NotFound("There is no such approval.", code="approval_not_found")
        verdict = Verdict(approval_id, decision, arguments_hash)
        return await self.decide_all(principal, found.id, (verdict,))

    async def decide_all(
        self, principal: Principal, run_id: RunId, verdicts: Sequence[Verdict]
    ) -> Run:
        """Decide on several calls of a run, or on none of them if one cannot be decided.

        Raises as `decide`.
        """
        if not principal.scopes.allows_operation(Operation.DESKTOP):
            decided = {verdict.approval_id for verdict in verdicts}
            waiting = await self.waiting(principal, run_id)
            if any(one.id in decided and one.tool in _OF_DESKTOPS for one in waiting):
                principal.scopes.require_operation(Operation.DESKTOP)
        return await self._store.decide(principal.owner_id, run_id, verdicts, principal.key_id)

    async def waiting(self, principal: Principal, run_id: RunId) -> tuple[Approval, ...]:
        """The approvals that a run of the principal waits for now."""
        return tuple(await self._store.waiting(principal.owner_id, run_id))

    async def wait(self, principal: Principal, run_id: RunId) -> LastItem:
        """The terminal event of a run, or the approvals that it waits for first.

        Raises LogExpired if this server stops before.
        """
        async with self.until_last(principal, run_id) as items:
            async for item in items:
                if is_last(item):
                    return item
        raise LogExpired

    @asynccontextmanager
    async def until_last(
        self, principal: Principal, run_id: RunId
    ) -> AsyncGenerator[AsyncIterator[FollowedItem]]:
        """The tail of a run from its first event until it ends, or waits for a person.

        What was asked and is decided ends nothing. The caller must have checked the run's owner.
        """
        async with (
            self._runs.tail(run_id, 0) as tail,
            aclosing(self._until_last(principal, run_id, tail)) as items,
        ):
            yield items

    async def _until_last(
        self,
        principal: Principal,
        run_id: RunId,
        tail: AsyncIterator[TailItem | None],
    ) -> AsyncGenerator[FollowedItem]:
        async for item in tail:
            yield item
            if isinstance(item, LoggedEvent) and isinstance(item.event, ApprovalAsked):
                approvals = await self.waiting(principal, run_id)
                if item.event.approval_id in {ids.public("appr", one.id) for one in approvals}:
                    yield Waiting(approvals)
                    return

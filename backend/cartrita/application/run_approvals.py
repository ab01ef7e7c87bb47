"""Approvals of the principal's runs: waited for, and decided on."""

from collections.abc import Sequence

from cartrita.application.runs import Runs
from cartrita.domain.approvals import Approval, Decision, Verdict
from cartrita.domain.errors import NotFound, Unavailable
from cartrita.domain.events import ApprovalAsked, LoggedEvent
from cartrita.domain.ids import RunId
from cartrita.domain.ports.approvals import ApprovalStore
from cartrita.domain.principals import Principal
from cartrita.domain.runs import Run
from cartrita.kit import ids


class RunApprovals:
    """Decisions on what the tools of runs want to do."""

    def __init__(self, store: ApprovalStore, runs: Runs) -> None:
        self._store = store
        self._runs = runs

    async def decide(
        self, principal: Principal, run: str, approval: str, decision: Decision, arguments_hash: str
    ) -> Run:
        """Decide on a call with exactly the arguments of this hash; the run goes on after the last.

        Raises NotFound, and Conflict where it is too late, or was decided otherwise.
        """
        found = await self._runs.get(principal, run)
        approval_id = ids.parse("appr", approval)
        if approval_id is None:
            raise NotFound("There is no such approval.", code="approval_not_found")
        verdict = Verdict(approval_id, decision, arguments_hash)
        return await self._store.decide(principal.owner_id, found.id, (verdict,), principal.key_id)

    async def decide_all(
        self, principal: Principal, run_id: RunId, verdicts: Sequence[Verdict]
    ) -> Run:
        """Decide on several calls of a run, or on none of them if one cannot be decided.

        Raises as `decide`.
        """
        return await self._store.decide(principal.owner_id, run_id, verdicts, principal.key_id)

    async def waiting(self, principal: Principal, run_id: RunId) -> tuple[Approval, ...]:
        """The approvals that a run of the principal waits for now."""
        return tuple(await self._store.waiting(principal.owner_id, run_id))

    async def wait(self, principal: Principal, run_id: RunId) -> LoggedEvent | tuple[Approval, ...]:
        """The terminal event of a run, or the approvals that it waits for first.

        Raises Unavailable if this server stops before.
        """
        async with self._runs.tail(run_id, 0) as events:
            async for event in events:
                if not isinstance(event, LoggedEvent):
                    continue
                if event.terminal:
                    return event
                if isinstance(event.event, ApprovalAsked):
                    waiting = await self.waiting(principal, run_id)
                    asked = {ids.public("appr", one.id) for one in waiting}
                    if event.event.approval_id in asked:
                        return waiting
        raise Unavailable("The end of this run is not in the log any more.", code="log_expired")

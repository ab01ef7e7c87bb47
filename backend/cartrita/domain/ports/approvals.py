"""The port of approvals."""

from typing import Protocol
from uuid import UUID

from cartrita.domain.approvals import Approval, Decision
from cartrita.domain.ids import RunId
from cartrita.domain.runs import Run


class ApprovalStore(Protocol):
    """The approvals that runs wait for."""

    async def waiting(self, owner_id: str, run_id: RunId) -> list[Approval]:
        """Those of a run that nobody has decided on, the oldest first."""
        ...

    async def decide(
        self,
        owner_id: str,
        run_id: RunId,
        approval_id: UUID,
        decision: Decision,
        arguments_hash: str,
        key_id: str,
    ) -> Run:
        """Decide once; with the last decision the run goes on. The same decision again is none.

        Raises NotFound, and Conflict where it was decided otherwise, is over, or is of other
        arguments.
        """
        ...

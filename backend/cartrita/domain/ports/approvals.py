"""The port of approvals."""

from collections.abc import Sequence
from typing import Protocol

from cartrita.domain.approvals import Approval, Verdict
from cartrita.domain.ids import RunId
from cartrita.domain.runs import Run


class ApprovalStore(Protocol):
    """The approvals that runs wait for."""

    async def waiting(self, owner_id: str, run_id: RunId) -> list[Approval]:
        """Those of a run that nobody has decided on, the oldest first."""
        ...

    async def decide(
        self, owner_id: str, run_id: RunId, verdicts: Sequence[Verdict], key_id: str
    ) -> Run:
        """Decide once, on all of these or on none; with the last decision the run goes on.

        The same decision again is none. Raises NotFound, and Conflict where one was decided
        otherwise, is over, or is of other arguments.
        """
        ...

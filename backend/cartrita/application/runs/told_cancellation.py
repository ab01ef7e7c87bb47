"""Cancelling runs so that tools are told of the end of one that waited for a person."""

from typing import Final

import anyio

from cartrita.domain.ids import RunId
from cartrita.domain.ports.runs import RunCancellation
from cartrita.domain.runs import Run
from cartrita.tools.toolbox import Toolbox

_TELL_S: Final = 5.0
"""A tool that does not hear of it in time, such as a desktop that hangs, is not waited for."""


class ToldCancellation:
    """Implements RunCancellation. Who works on a run tells its tools; nobody works on that one."""

    def __init__(self, cancellation: RunCancellation, tools: Toolbox) -> None:
        self._cancellation = cancellation
        self._tools = tools

    async def cancel(self, owner_id: str, run_id: RunId) -> Run:
        """See RunCancellation."""
        run = await self._cancellation.cancel(owner_id, run_id)
        if run.status.ended:
            with anyio.move_on_after(_TELL_S):
                await self._tools.end_run(run.conversation_id, run.id)
        return run

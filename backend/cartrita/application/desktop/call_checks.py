"""What is asked before actions of a call: whether they can be done on this screen."""

from collections.abc import Sequence
from itertools import takewhile

from cartrita.application.desktop import call_accounts
from cartrita.application.desktop.memory import DesktopMemory
from cartrita.domain.desktop import LOOKS, Action, DesktopSession
from cartrita.domain.desktop_errors import ActionRefused, ScreenChanged
from cartrita.domain.desktop_stillness import NO_STILLNESS, Stillness, stillness_of
from cartrita.domain.ports.desktop import Desktop
from cartrita.domain.ports.desktop_use import DesktopCall
from cartrita.tools.tool import AgentStuck


async def require_possible(desktop: Desktop, actions: Sequence[Action]) -> None:
    """Raise ActionRefused for actions of which one cannot be done."""
    found = await desktop.refused(actions)
    if found is not None:
        raise ActionRefused(call_accounts.impossible(found.index, len(actions), found.why))


def looks_first(actions: Sequence[Action]) -> int:
    """How many looks are before the first action that is none."""
    return sum(1 for _ in takewhile(lambda one: isinstance(one, LOOKS), actions))


class Standstill:
    """What agents do on one desktop is done to what people were shown who decided on that."""

    def __init__(self, memory: DesktopMemory, session: DesktopSession, most: int) -> None:
        """An agent is stopped when it was so often too late in a row at one place, or with keys."""
        self._memory = memory
        self._desktop_id = session.id
        self._most = most

    async def require(self, desktop: Desktop, call: DesktopCall) -> None:
        """Raise ScreenChanged where what was approved would be done to something else than was
        shown, and AgentStuck.
        """
        still = stillness_of(call.actions)
        if call.approval is None or still == NO_STILLNESS:
            return
        shown = call.approval.shown
        if shown is not None and await desktop.is_unchanged(shown.digest, still):
            self._memory.end_stale(self._desktop_id, call.agent)
            return
        times = self._memory.count_stale(self._desktop_id, call.agent, still.places)
        if times >= self._most:
            raise AgentStuck(
                f"What the agent wanted to use changed {times} times in a row while a person "
                "decided on that, so it was stopped. Try again, or do that yourself."
            )
        raise _changed(still, times)


def _changed(still: Stillness, times: int) -> ScreenChanged:
    """What an agent is told that was too late so often in a row."""
    if times == 1:
        return ScreenChanged.unseen()
    return ScreenChanged.moving() if still.places else ScreenChanged.restless()

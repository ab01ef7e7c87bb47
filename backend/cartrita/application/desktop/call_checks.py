"""What is asked before actions of a call: whether they can be done on this screen."""

from collections.abc import Sequence
from itertools import takewhile

from cartrita.application.desktop import call_accounts
from cartrita.application.desktop.memory import DesktopMemory
from cartrita.domain.desktop import LOOKS, Action, DesktopSession
from cartrita.domain.desktop_films import pressed_places
from cartrita.domain.errors import ActionRefused
from cartrita.domain.ports.desktop import Desktop
from cartrita.domain.ports.desktop_use import DesktopCall
from cartrita.domain.screen_changes import ScreenChanged
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
    """Where agents press on one desktop, the screen stands still while people decide on that."""

    def __init__(self, memory: DesktopMemory, session: DesktopSession, most: int) -> None:
        """An agent is stopped when it was so often too late in a row at one place."""
        self._memory = memory
        self._desktop_id = session.id
        self._most = most

    async def require(self, desktop: Desktop, call: DesktopCall) -> None:
        """Raise ScreenChanged where a place that was approved has changed, and AgentStuck."""
        places = pressed_places(call.actions)
        if call.approval is None or not places:
            return
        if await desktop.is_unchanged(places):
            self._memory.end_stale(self._desktop_id, call.agent)
            return
        times = self._memory.count_stale(self._desktop_id, call.agent, places)
        if times >= self._most:
            raise AgentStuck(
                f"What the agent wanted to press changed {times} times in a row while a person "
                "decided on that, so it was stopped. Try again, or do that yourself."
            )
        raise ScreenChanged.unseen() if times == 1 else ScreenChanged.moving()

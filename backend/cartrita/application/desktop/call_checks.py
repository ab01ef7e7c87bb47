"""What is asked before the first action of a call: whether it can be done on this screen."""

from collections.abc import Sequence

from cartrita.application.desktop import call_accounts
from cartrita.application.desktop.memory import DesktopMemory
from cartrita.domain.approvals import Decision
from cartrita.domain.desktop import LOOKS, Action, DesktopSession, Screenshot
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


def only_looks(actions: Sequence[Action]) -> bool:
    """Whether they begin with the whole screen, and nothing is done after that."""
    first, *more = actions
    return isinstance(first, Screenshot) and all(isinstance(one, LOOKS) for one in more)


def sight_of(memory: DesktopMemory, session: DesktopSession, call: DesktopCall) -> int | None:
    """The version of the screen that the agent had seen when it decided on a call.

    Another worker may have asked for the approval, and know it: it tells that if it was approved.
    """
    approval = call.approval
    approved = approval is not None and approval.decision is Decision.APPROVED
    if approval is None or not approved or approval.shown is None:
        return memory.seen(session.id, call.agent)
    shown = approval.shown
    return shown.version if shown.desktop_id == session.id else None


def require_seen(call: DesktopCall, seen: int | None) -> None:
    """Raise ScreenChanged for an agent that has not seen the screen, as far as is known here.

    The desktop knows whether it is still that.
    """
    if seen is None and not only_looks(call.actions):
        raise ScreenChanged.unseen()


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

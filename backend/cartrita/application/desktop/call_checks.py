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


async def require_seen(desktop: Desktop, call: DesktopCall, seen: int | None) -> None:
    """Raise ScreenChanged for an agent that has not seen the screen, as far as is known here.

    The desktop knows whether it is still that. What lies where it would act may have changed by
    itself while a person decided on that.
    """
    if only_looks(call.actions):
        return
    if seen is None:
        raise ScreenChanged.unseen()
    places = pressed_places(call.actions)
    if call.approval is not None and places and not await desktop.is_unchanged(places):
        raise ScreenChanged.unseen()

"""What is asked before actions of a call: whether they can be done on this screen."""

from collections.abc import Sequence
from typing import Final

from cartrita.application.desktop import call_accounts
from cartrita.application.desktop.memory import DesktopMemory
from cartrita.domain.desktop import LOOKS, Action, DesktopSession, Move, Type
from cartrita.domain.desktop_errors import ActionRefused, ScreenChanged
from cartrita.domain.desktop_stillness import NO_STILLNESS, Stillness, stillness_of
from cartrita.domain.ids import RunId
from cartrita.domain.ports.desktop import Desktop
from cartrita.domain.ports.desktop_use import DesktopCall
from cartrita.tools.tool import AgentStuck

_UNSEEN: Final = (
    "A secret is typed only on the screen that was shown to whoever approves of it, so nothing but "
    "looks may come before it in its call. Do the rest first, such as the click into the field, "
    "and type the secret in a call of its own."
)


async def require_possible(
    desktop: Desktop, run_id: RunId, actions: Sequence[Action], seen: int | None = None
) -> None:
    """Raise ActionRefused for actions of which one cannot be done for a run, also because the
    screen has another version than was `seen`.
    """
    try:
        found = await desktop.refused(actions, run_id, seen)
    except ScreenChanged:
        raise ActionRefused.unseen() from None
    if found is not None:
        raise ActionRefused(call_accounts.impossible(found.index, len(actions), found.why))


def require_secrets_first(actions: Sequence[Action]) -> None:
    """Raise ActionRefused for a secret behind what the call itself makes of the screen.

    Whoever approves has not seen that. What looks and moves of the pointer make of it is compared.
    """
    first = _first(actions, (*LOOKS, Move))
    if any(_is_secret(action) for action in actions[first:]):
        raise ActionRefused(_UNSEEN)


def compared_before(actions: Sequence[Action]) -> frozenset[int]:
    """The indexes, from 1, of the actions before which the screen is compared once more.

    Before them come actions that take their time, as waiting does.
    """
    acts = _first(actions, LOOKS)
    secrets = (index for index, one in enumerate(actions, 1) if _is_secret(one))
    return frozenset({acts, next(secrets, acts)}) - {1}


def _first(actions: Sequence[Action], others: tuple[type[Action], ...]) -> int:
    """The index, from 1, of the first action that is none of these, or is behind all of them."""
    found = (index for index, one in enumerate(actions, 1) if not isinstance(one, others))
    return next(found, len(actions) + 1)


def _is_secret(action: Action) -> bool:
    return isinstance(action, Type) and action.secret is not None


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
        if shown is None:
            raise ScreenChanged.unseen()
        if await desktop.is_unchanged(shown.digest, still):
            self._memory.end_stale(self._desktop_id, call.agent)
            return
        times = self._memory.count_stale(self._desktop_id, call.agent, still.places)
        if times >= self._most:
            raise AgentStuck(
                f"What the agent wanted to use changed {times} times in a row while a person "
                "decided on that, so the agent was stopped. Try again, or take the desktop over "
                "and do it yourself."
            )
        raise _changed(still, times)


def _changed(still: Stillness, times: int) -> ScreenChanged:
    """What an agent is told that was too late so often in a row."""
    if times == 1:
        return ScreenChanged.unseen()
    return ScreenChanged.moving() if still.places else ScreenChanged.restless()

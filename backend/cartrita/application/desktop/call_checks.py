"""What is asked before actions of a call: whether they can be done on this screen."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from cartrita.application.desktop import call_accounts
from cartrita.application.desktop.memory import DesktopMemory
from cartrita.domain.desktop import LOOKS, Action, DesktopSession, Move, Type
from cartrita.domain.desktop_errors import ActionBrokeOff, ActionRefused, ScreenChanged
from cartrita.domain.desktop_films import Shown
from cartrita.domain.desktop_stillness import NO_STILLNESS, stillness_of
from cartrita.domain.errors import Unavailable
from cartrita.domain.ids import RunId
from cartrita.domain.ports.desktop import Desktop
from cartrita.domain.ports.desktop_use import DesktopCall
from cartrita.tools.tool import AgentStuck

_UNSEEN: Final = (
    "A secret is typed only on the screen that was shown to whoever approves of it, so nothing but "
    "looks and moves of the pointer may come before it in its call. Do the rest first, such as the "
    "click into the field, and type the secret in a call of its own."
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
    """The indexes, from 1, of the actions before which the screen is compared: the first, and up to
    that which changes what is shown, those behind looks, which take their time, and a secret.
    """
    pairs = enumerate(pairwise(actions[: _first(actions, (*LOOKS, Move))]), 2)
    later = (
        index
        for index, (before, one) in pairs
        if _is_secret(one) or (isinstance(before, LOOKS) and not isinstance(one, LOOKS))
    )
    return frozenset((1, *later))


def _first(actions: Sequence[Action], others: tuple[type[Action], ...]) -> int:
    """The index, from 1, of the first action that is none of these, or is behind all of them."""
    found = (index for index, one in enumerate(actions, 1) if not isinstance(one, others))
    return next(found, len(actions) + 1)


def _is_secret(action: Action) -> bool:
    return isinstance(action, Type) and action.secret is not None


class Standstill:
    """What a call does on a desktop is done to what people were shown who decided on that."""

    def __init__(
        self, memory: DesktopMemory, session: DesktopSession, call: DesktopCall, most: int
    ) -> None:
        """An agent is stopped when it was so often too late in a row at one place, or with keys."""
        self._memory = memory
        self._desktop_id = session.id
        self._call = call
        self._most = most
        self._still = stillness_of(call.actions)
        self._compared = compared_before(call.actions)

    async def require(self, desktop: Desktop, index: int) -> None:
        """Raise ScreenChanged where what was approved, from this action on, would be done to
        something else than was shown, and AgentStuck.
        """
        approval = self._call.approval
        if approval is None or self._still == NO_STILLNESS or index not in self._compared:
            return
        if approval.shown is None:
            raise ScreenChanged.unseen()
        if not await self._is_unchanged(desktop, approval.shown):
            raise self._too_late()
        if index == max(self._compared):  # else it may be too late yet
            self._memory.end_stale(self._desktop_id, self._call.agent)

    async def _is_unchanged(self, desktop: Desktop, shown: Shown) -> bool:
        try:
            return await desktop.is_unchanged(shown.digest, self._still)
        except ActionBrokeOff as error:  # nothing can have come of that
            raise Unavailable(error.message) from None

    def _too_late(self) -> ScreenChanged:
        """What its agent is told. Raises AgentStuck."""
        still = self._still
        times = self._memory.count_stale(self._desktop_id, self._call.agent, still.places)
        if times >= self._most:
            raise AgentStuck(
                f"What the agent wanted to use changed {times} times in a row while a person "
                "decided on that, so the agent was stopped. Try again, or take the desktop over "
                "and do it yourself."
            )
        if times == 1:
            return ScreenChanged.unseen()
        return ScreenChanged.moving() if still.places else ScreenChanged.restless()

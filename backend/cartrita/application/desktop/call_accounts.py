"""What a model is told of a call: which of its actions were done, and what is seen then."""

from collections.abc import Sequence
from typing import Final

from cartrita.application.desktop.filming import Filmed
from cartrita.domain.desktop import LOOKS, Action, CursorPosition
from cartrita.domain.desktop_errors import ActionBrokeOff, ActionRefused
from cartrita.domain.errors import CartritaError, Unavailable
from cartrita.domain.files import ID_PREFIX, FileId
from cartrita.domain.ports.desktop_use import DesktopOutcome
from cartrita.kit import ids
from cartrita.tools.tool import AgentStuck

_HANDED_BACK: Final = (
    "A person used the desktop, and has handed it back. Take a new screenshot, and look what has "
    "changed."
)
_STILL_USED: Final = (
    "A person is using the desktop. Wait, and take a new screenshot when it is handed back."
)
_SHOWN: Final = " This is how it looks now."
_UNSHOWN: Final = " How it looks now could not be shown: {}"
_LOOK: Final = " Take a screenshot."
_LET_GO: Final = " The button that was held down was let go."
_HELD: Final = (
    " The button that was held down is still down, and nothing was dropped: look, and let it go "
    "where you mean to."
)


def impossible(index: int, most: int, why: str) -> str:
    """Where nothing was begun, because an action of it cannot be done."""
    return why if most == 1 else f"Action {index} of {most} cannot be done. {why}"


def late() -> ActionRefused:
    """Where the time of the answer is over before an action."""
    return ActionRefused("It was stopped: the time of this answer is used up.")


def stuck(looks: int) -> AgentStuck:
    """Where an agent looked so often at the same."""
    return AgentStuck(
        f"The agent looked at the same screen {looks} times in a row and did nothing, so "
        "it was stopped. Try again, and say more precisely what is to be done."
    )


class CallAccount:
    """Of one call, from its first action to its end."""

    def __init__(self, actions: Sequence[Action]) -> None:
        self._actions = actions
        self._most = len(actions)
        self._index = 0
        """The place of the action that is being done, 0 before the first."""
        self._filmed: list[Filmed] = []
        self._buttons = ""

    def begin(self, index: int) -> None:
        """The action of this place is next."""
        self._index = index

    def add(self, filmed: Filmed) -> None:
        """This was done, and is seen."""
        self._filmed.append(filmed)

    def drop(self) -> None:
        """A button that was held down was let go."""
        self._buttons = _LET_GO

    def hold(self) -> None:
        """A button is held down still."""
        self._buttons = _HELD

    @property
    def screen(self) -> FileId | None:
        """The last picture of the whole screen."""
        return self._filmed[-1].screen if self._filmed else None

    def done(self, *, shows: bool) -> DesktopOutcome:
        """All was done; the screen is shown on demand."""
        told = "Done." if self._most == 1 else f"{self._most} actions were done."
        asked = [
            f"X={one.done.pointer.x},Y={one.done.pointer.y}"
            for one in self._filmed
            if isinstance(one.action, CursorPosition) and one.done.pointer is not None
        ]
        lines = asked if asked and self._most == 1 else [told, *asked]
        return self._outcome("\n".join(lines), self._pictures(shows=shows), success=True)

    def refused(self, why: str, *, shows: bool) -> DesktopOutcome:
        """It ended early, and how the screen looks is shown if it can be."""
        return self._outcome(self.not_done(why), self._pictures(shows=shows))

    def changed(self, why: str, unseen: CartritaError | None) -> DesktopOutcome:
        """The same, where that is another than the agent has seen; or why it is `unseen`."""
        now = _SHOWN if unseen is None else _UNSHOWN.format(unseen.message)
        if isinstance(unseen, ActionBrokeOff | Unavailable):  # which another look may not meet
            now += _LOOK
        return self.refused(why + now, shows=unseen is None)

    def not_filmed(self, why: str) -> DesktopOutcome:
        """An action was done, and nobody has a picture of it."""
        told = f"{_before(self._index)}Action {self._index} of {self._most} was done{self._rest}."
        text = (
            f"{'It was done.' if self._most == 1 else told} How the screen looks now could not be "
            f"stored. {why} Do not do it again: stop, and tell the person."
        )
        return self._outcome(text, self._pictures(shows=False))

    def handed_back(self, *, still_used: bool) -> DesktopOutcome:
        """A person has, or had, the desktop: nothing of it is shown."""
        return self._outcome(self.not_done(_STILL_USED if still_used else _HANDED_BACK))

    def not_done(self, why: str) -> str:
        """What was not done of the call, and why."""
        placed = self.placed(why)
        return f"Nothing was done. {why}" if placed == why else placed

    def placed(self, why: str) -> str:
        """Why it ended at this action, with what was done before it in a call of several."""
        if self._most == 1 or not self._index:
            return why
        after = ", nor those after it" if self._index < self._most else ""
        undone = f"Action {self._index} of {self._most} was not done{after}."
        return f"{_before(self._index)}{undone} {why}"

    def broke_off(self, error: ActionBrokeOff) -> CartritaError:
        """What is raised for it: where it only looked, nothing can have come of that."""
        action = self._actions[max(self._index, 1) - 1]
        if not self._index or isinstance(action, LOOKS):
            return Unavailable(self.placed(error.message))
        told = f"{_before(self._index)}Action {self._index} of {self._most} broke off, and may be"
        return ActionBrokeOff(f"{told} done{self._rest}. {error.message}")

    @property
    def _rest(self) -> str:
        return "; those after it were not" if self._index < self._most else ""

    def _pictures(self, *, shows: bool) -> Sequence[FileId]:
        parts = [one.part for one in self._filmed if one.part is not None]
        return [*parts, self.screen] if shows and self.screen is not None else parts

    def _outcome(
        self, text: str, pictures: Sequence[FileId] = (), *, success: bool = False
    ) -> DesktopOutcome:
        return DesktopOutcome(
            text=text + self._buttons,
            success=success,
            pictures=tuple(ids.public(ID_PREFIX, one) for one in pictures),
        )


def _before(index: int) -> str:
    match index:
        case 0 | 1:
            return ""
        case 2:
            return "Action 1 was done. "
        case _:
            return f"Actions 1 to {index - 1} were done. "

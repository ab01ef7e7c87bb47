"""A task on a desktop in twenty steps, as a model would do it, and what is on the disk after it."""

from typing import NamedTuple

from tests.harness.desktop_pictures import Opening

from cartrita.domain.desktop import (
    Action,
    Area,
    Click,
    CursorPosition,
    Drag,
    Key,
    Move,
    Point,
    Screenshot,
    Scroll,
    Type,
    Zoom,
)

_BACKGROUND = Point(1100, 700)
_LINES = "Grüße aus Köln, žluťoučký kůň\n\tzweitens: 日本語, 한국어 😀 “€ ½”\n"
_MORE = "noch eine Zeile\n" * 60
_LINE_START, _BEHIND_LINE = Point(324, 208), Point(900, 208)
"""Of the first line in the editor, which a window manager without other windows centers."""
_TEXT = Point(600, 450)

NAME = "notiz.txt"
COPY = "kopie.txt"
SAVED = "Ersetzt\n" + _LINES.partition("\n")[2] + _MORE.replace("noch", "NOCH", 1)


class Step(NamedTuple):
    """Actions of one turn, and what they open that the next step needs."""

    actions: tuple[Action, ...]
    opens: Opening | None = None


def _program(entry: int) -> tuple[Step, ...]:
    """Start the one of this entry of the menu."""
    return (
        Step((Click(at=_BACKGROUND, button="right"),), opens="menu"),
        Step((Key(("Down",), times=entry), Key(("Return",))), opens="program"),
    )


def steps(*, terminal: int, editor: int) -> tuple[Step, ...]:
    """With these entries of the menu."""
    return (
        Step((Screenshot(),)),
        *_program(editor),
        Step((Type(_LINES + _MORE),)),
        Step((Key(("ctrl", "s")),), opens="window"),
        Step((Key(("ctrl", "a")), Type(NAME))),
        Step((Key(("Return",)),), opens="window"),
        Step((Key(("ctrl", "Home")),)),
        Step((Zoom(Area(320, 140, 960, 400)), Move(_LINE_START), CursorPosition())),
        Step((Drag((_LINE_START, Point(600, 208), _BEHIND_LINE)),)),
        Step((Type("Ersetzt"),)),
        Step((Key(("ctrl", "f")),)),
        Step((Type("noch"), Key(("Return",)), Key(("Escape",)))),
        Step((Type("NOCH"),)),
        Step((Scroll(down=10, at=_TEXT), Scroll(down=-100))),
        Step((Key(("ctrl", "s")),)),
        *_program(terminal),
        Step((Type(f"cp {NAME} .{COPY} && mv .{COPY} {COPY}"), Key(("Return",)))),
        Step((Screenshot(),)),
    )

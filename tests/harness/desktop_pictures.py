"""Pictures of desktops compared: whether a window or a menu came, and whether it is there whole."""

import io
import time
from collections.abc import Awaitable, Callable
from typing import Final, Literal, TypeAlias

from PIL import Image, ImageChops

from cartrita.domain.desktop import Area

Look: TypeAlias = Callable[[], Awaitable[bytes]]
Opening: TypeAlias = Literal["menu", "program", "window"]
"""What a step of a task opens; a program is one that was chosen from a menu."""

_WINDOW: Final = 50
"""In pixels: what changes over more than this, both ways, is no caret."""
_WATCHDOG_S: Final = 60.0


def differs(one: bytes, other: bytes) -> bool:
    """Whether two pictures differ by more than a caret."""
    return all(side > _WINDOW for side in _changed_sides(one, other))


def shows_menu(one: bytes, other: bytes) -> bool:
    """Whether they differ by more than a cursor: a menu may have one line, which is long."""
    return _changed_sides(one, other)[0] > _WINDOW


def shows_text(png: bytes, area: Area) -> bool:
    """Whether there is more than a background in the lower half of a window, at its left."""
    middle, last = ((area.top * (10 - tenths) + area.bottom * tenths) // 10 for tenths in (5, 9))
    part = _image(png).crop((area.left + 10, middle, (area.left + area.right) // 2, last))
    return part.getcolors(1) is None


class Openings:
    """Waits for what the steps of a task open."""

    def __init__(self, look: Look) -> None:
        self._look = look
        self._without_menu = b""

    async def opened(self, opening: Opening | None, before: bytes) -> None:
        """Wait for it, when the screen was like this before the step.

        A program is there when the screen is another than before the menu, and another than with
        it: a menu that is still open, or that has only closed, is no window yet, and what is typed
        then goes elsewhere.
        """
        if opening == "menu":
            self._without_menu = before
        if opening is not None:
            others = (before, self._without_menu) if opening == "program" else (before,)
            await _changed(self._look, others)


async def _changed(look: Look, others: tuple[bytes, ...]) -> bytes:
    """The screen when it is another than each of these, and stands still."""
    deadline = time.monotonic() + _WATCHDOG_S
    seen = await look()
    while time.monotonic() < deadline:
        last, seen = seen, await look()
        if not differs(last, seen) and all(differs(other, seen) for other in others):
            return seen
    raise AssertionError("the screen does not stand still, or is as it was")


def _changed_sides(one: bytes, other: bytes) -> tuple[int, int]:
    """The width and the height of the part that differs."""
    left, top, right, bottom = (
        ImageChops.difference(_image(one), _image(other)).getbbox() or [0] * 4
    )
    return right - left, bottom - top


def _image(png: bytes) -> Image.Image:
    with Image.open(io.BytesIO(png)) as picture:
        return picture.convert("RGB")

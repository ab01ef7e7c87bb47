"""Which window of a display gets what is typed."""

from typing import Any, NamedTuple, cast

from Xlib import X, error
from Xlib.display import Display

from cartrita.domain.desktop import Area


class Focus(NamedTuple):
    """The window, as X numbers it, and where the outermost is that it is in, with its frame.

    That is nowhere where there is none, or where it is whichever is below the pointer.
    """

    window: int
    area: Area | None


def focus_of(display: Display) -> Focus:
    """What has it now."""
    asked = cast("Any", display)
    window, root = asked.get_input_focus().focus, asked.screen().root
    if isinstance(window, int):
        return Focus(window, None)
    outermost = window
    try:
        while (parent := outermost.query_tree().parent) and parent != root:
            outermost = parent
        found = outermost.get_geometry()
    except error.XError:  # it has just been closed
        return Focus(X.NONE, None)
    left, top = found.x, found.y
    return Focus(window.id, Area(left, top, left + found.width, top + found.height))

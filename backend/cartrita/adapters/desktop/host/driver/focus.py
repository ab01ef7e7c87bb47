"""Which window of a display gets what is typed."""

from typing import Any, Final, NamedTuple, cast

from Xlib import X, error
from Xlib.display import Display

from cartrita.domain.desktop import Area

DEEPEST: Final = 64
"""So many windows lie in each other at most that are asked, of which each takes a reply."""


class Focus(NamedTuple):
    """The outermost window, which is its frame, as X numbers it, and where that is.

    Which of those within it has the focus is not told: programs pass it on to one that is not seen,
    some time after they have come. It is nowhere if none has it, or whichever is below the pointer.
    So is one in more than `DEEPEST` others: the last of these that was asked is told for it.
    """

    window: int
    area: Area | None


def focus_of(display: Display) -> Focus:
    """What has it now."""
    asked = cast("Any", display)
    outermost, root = asked.get_input_focus().focus, asked.screen().root
    if isinstance(outermost, int):
        return Focus(outermost, None)
    try:
        for _ in range(DEEPEST):
            parent = outermost.query_tree().parent
            if not parent or parent == root:
                found = outermost.get_geometry()
                left, top = found.x, found.y
                return Focus(outermost.id, Area(left, top, left + found.width, top + found.height))
            outermost = parent
    except error.XError:  # it has just been closed
        return Focus(X.NONE, None)
    return Focus(outermost.id, None)

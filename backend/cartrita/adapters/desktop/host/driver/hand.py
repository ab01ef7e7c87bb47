"""The hand on the pointer of a desktop: it moves, clicks, drags and turns the wheel."""

import threading
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final, TypeAlias

from cartrita.adapters.desktop.host.driver.x_server import XServer
from cartrita.domain.desktop import Button, Click, Drag, Move, Point, Press, Release, Scroll

_ALL: Final = range(1, 10)
_BUTTONS: Final[dict[Button, int]] = {"left": 1, "middle": 2, "right": 3, "back": 8, "forward": 9}
_UP, _DOWN, _LEFT, _RIGHT = 4, 5, 6, 7
_STRIDE: Final = 8
"""In pixels: toolkits take what moves less far for a click."""
_MOST_MOVES: Final = 400
_PACE_S: Final = 0.004
"""Between two moves of a drag, so that who shows it has read one before the next."""
_DROP_S: Final = 0.05
"""Between the last move and letting go: programs agree about a drop in messages of their own."""

PointerAction: TypeAlias = Move | Click | Press | Release | Drag | Scroll


class Hand:
    """It checks nothing: places are on the screen."""

    def __init__(self, server: XServer) -> None:
        self._server = server
        self._down = 0

    def do(self, action: PointerAction, stop: threading.Event) -> None:
        """Do one of its actions. At `stop` it ends early."""
        match action:
            case Move():
                self._server.move(action.at)
            case Click():
                self._move(action.at)
                self._tap(_BUTTONS[action.button], action.times, stop)
            case Press():
                self._server.press_button(_BUTTONS[action.button])
            case Release():
                self._server.release_button(_BUTTONS[action.button])
            case Drag():
                self._drag(action.path, stop)
            case Scroll():
                self._move(action.at)
                self._tap(_DOWN if action.down > 0 else _UP, abs(action.down), stop)
                self._tap(_RIGHT if action.right > 0 else _LEFT, abs(action.right), stop)

    def follow(self, at: Point, buttons: int) -> None:
        """Be where a person's is, with the same buttons down, as the bits of a number."""
        self._server.move(Point(min(at.x, self._server.width), min(at.y, self._server.height)))
        for button in _ALL:
            bit = 1 << button - 1
            if buttons & bit and not self._down & bit:
                self._server.press_button(button)
            elif self._down & bit and not buttons & bit:
                self._server.release_button(button)
        self._down = buttons

    def let_go(self) -> None:
        """Release all buttons, whoever pressed them."""
        self._down = 0
        self._server.release_button(*_ALL)

    def _move(self, at: Point | None) -> None:
        if at is not None:
            self._server.move(at)

    def _drag(self, path: Sequence[Point], stop: threading.Event) -> None:
        """Along a path with the left button down; at `stop` it is let go where it is."""
        self._server.move(path[0])
        try:
            self._server.press_button(_BUTTONS["left"])
            for place in moves(path):
                self._server.move(place)
                if stop.wait(_PACE_S):
                    return
            stop.wait(_DROP_S)
        finally:
            self._server.release_button(_BUTTONS["left"])

    def _tap(self, button: int, times: int, stop: threading.Event) -> None:
        for _ in range(times):
            if stop.is_set():
                return
            try:
                self._server.press_button(button)
            finally:
                self._server.release_button(button)


def moves(path: Sequence[Point]) -> Iterator[Point]:
    """Places along a path after its first, each not far from the one before; bounded in number."""
    length = sum(_far(one, other) for one, other in pairwise(path))
    stride = max(_STRIDE, -(-length // _MOST_MOVES))
    for one, other in pairwise(path):
        steps = max(1, -(-_far(one, other) // stride))
        for step in range(1, steps + 1):
            yield Point(
                one.x + (other.x - one.x) * step // steps,
                one.y + (other.y - one.y) * step // steps,
            )


def _far(one: Point, other: Point) -> int:
    return max(abs(one.x - other.x), abs(one.y - other.y))

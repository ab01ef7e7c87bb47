"""The fingers of a person on the keyboard of a desktop: each key goes down and up as they say."""

from contextlib import suppress
from typing import Final

from Xlib import XK

from cartrita.adapters.desktop.host.driver.key_map import KeyMap
from cartrita.adapters.desktop.host.driver.key_names import SHIFT, SHIFTS, is_known
from cartrita.adapters.desktop.host.driver.keyboard import Keyboard
from cartrita.adapters.desktop.host.driver.x_server import XServer
from cartrita.domain.desktop_errors import ActionRefused

_OF_KEYPADS: Final = {
    **{XK.XK_KP_0 + digit: XK.XK_0 + digit for digit in range(10)},
    XK.XK_KP_Decimal: XK.XK_period,
    XK.XK_KP_Separator: XK.XK_comma,
}
"""What Num Lock decides on has been decided on the person's own keyboard."""


class Fingers:
    """Keys are told by their symbols, which come out whatever Shift and Caps Lock are here."""

    def __init__(self, server: XServer, keyboard: Keyboard) -> None:
        self._server = server
        self._keyboard = keyboard
        self._down: dict[int, int] = {}

    def follow(self, keysym: int, *, down: bool) -> None:
        """Have the key of a symbol down, or up; nothing where there cannot be one."""
        if not down:
            self._release(keysym)
            return
        symbol = _OF_KEYPADS.get(keysym, keysym)
        with suppress(ActionRefused):
            if is_known(symbol):
                self._down[keysym] = self._press(symbol, self._keyboard.bearing(symbol))

    def _release(self, keysym: int) -> None:
        if (code := self._down.pop(keysym, None)) is not None:
            self._server.release_keys((code,))

    def let_go(self) -> None:
        """Know of no key that is down."""
        self._down.clear()

    def _press(self, symbol: int, keys: KeyMap) -> int:
        """Press it with Shift, or without, where that makes a difference: the code of its key."""
        code = keys.stroke(symbol).code
        wanted = keys.shift_for(symbol, capitals=self._server.caps_locked())
        shifts = [keys.stroke(one).code for one in SHIFTS if not keys.lacks(one)]
        held = [one for one in self._server.keys_down() if one in shifts]
        if wanted is None or wanted == bool(held):
            self._server.press_keys((code,))
        elif wanted:
            shift = keys.stroke(SHIFT).code
            self._server.press_keys((shift, code))
            self._server.release_keys((shift,))
        else:
            self._server.release_keys(held)
            self._server.press_keys((code, *held))
        return code

"""Keys by the names that models have for them: those of xdotool, of browsers, and characters.

Letter case counts in none of them. Keys that would act on the X server itself are unknown.
"""

import unicodedata
from typing import Final

from Xlib import XK
from Xlib.keysymdef import latin1, miscellany, xf86

from cartrita.domain.desktop_errors import ActionRefused

SHIFT: Final = XK.XK_Shift_L
SHIFTS: Final = (XK.XK_Shift_L, XK.XK_Shift_R)
CAPS_LOCK: Final = XK.XK_Caps_Lock
_UNICODE: Final = 0x0100_0000
"""A keysym of a character outside of Latin-1 is this and its code point."""
_XFREE86: Final = range(0x1008_0000, 0x1009_0000)
_SERVERS_OWN: Final = range(0x1008_FE00, 0x1008_FF00)
"""Keysyms that switch consoles and video modes, and end grabs."""
_END_OF_SERVER: Final = 0xFED5
_LAST: Final = 0x1FFF_FFFF

_ALIASES: Final = {
    "alt": "alt_l",
    "arrowdown": "down",
    "arrowleft": "left",
    "arrowright": "right",
    "arrowup": "up",
    "capslock": "caps_lock",
    "cmd": "super_l",
    "command": "super_l",
    "context_menu": "menu",
    "contextmenu": "menu",
    "control": "control_l",
    "ctrl": "control_l",
    "del": "delete",
    "enter": "return",
    "esc": "escape",
    "ins": "insert",
    "kp_return": "kp_enter",
    "linefeed": "return",
    "meta": "super_l",
    "newline": "return",
    "numlock": "num_lock",
    "opt": "alt_l",
    "option": "alt_l",
    "os": "super_l",
    "pagedown": "page_down",
    "pageup": "page_up",
    "pgdn": "page_down",
    "pgdown": "page_down",
    "pgup": "page_up",
    "printscreen": "print",
    "prtsc": "print",
    "scrolllock": "scroll_lock",
    "shift": "shift_l",
    "spacebar": "space",
    "super": "super_l",
    "win": "super_l",
    "windows": "super_l",
    "back_space": "backspace",
    "volumeup": "xf86audioraisevolume",
    "volumedown": "xf86audiolowervolume",
    "volumemute": "xf86audiomute",
    "browserback": "xf86back",
    "browserforward": "xf86forward",
    "\n": "return",
    "\r": "return",
    "\t": "tab",
}


def keysym(name: str) -> int:
    """The keysym of a key. Raises ActionRefused if there is no such key."""
    folded = name.lower()
    folded = _ALIASES.get(folded, folded)
    found = _NAMED.get(folded)
    if found is None and len(folded) == 1:
        found = of_character(folded)
    if found is None:
        raise ActionRefused(f'There is no key "{name}".')
    return found


def of_character(character: str) -> int | None:
    """The keysym that types it, if it is one that can be typed."""
    if character in "\n\t":
        return XK.XK_Return if character == "\n" else XK.XK_Tab
    if unicodedata.category(character) in ("Cc", "Cs"):
        return None
    point = ord(character)
    return point if point < 0x100 else _UNICODE | point


def is_known(keysym: int) -> bool:
    """Whether there may be a key with it, which does not act on the X server itself."""
    return 0 < keysym <= _LAST and keysym not in _SERVERS_OWN and keysym != _END_OF_SERVER


def is_written(keysym: int) -> bool:
    """Whether it is that of a character."""
    return 0x20 <= keysym <= 0xFF or keysym > _UNICODE


def capital(keysym: int) -> int | None:
    """That of the capital letter of a small one."""
    character = chr(keysym & ~_UNICODE)
    return of_character(character.upper()) if len(character.upper()) == 1 else None


def is_special(keysym: int) -> bool:
    """Whether it is of those that start players and mail programs, which desktops here do not."""
    return keysym in _XFREE86 or 0x1005_0000 <= keysym < 0x1006_0000


def _named() -> dict[str, int]:
    """Of names that differ in case only, the one in small letters: a, not A."""
    found: dict[str, int] = {}
    for group in (xf86, miscellany, latin1):
        names = {each[3:]: value for each, value in vars(group).items() if each.startswith("XK_")}
        for name in sorted(names):
            if names[name] not in _SERVERS_OWN:
                found[name.lower().removeprefix("_").replace("xf86_", "xf86")] = names[name]
    return found


_NAMED: Final = _named()

"""Names of keys: models write them as xdotool, OpenAI or browsers do, desktops know those of X."""

from collections.abc import Iterable
from typing import Final

_NAMES: Final = {
    **dict.fromkeys(("return", "enter", "kp_enter", "linefeed"), "Return"),
    **dict.fromkeys(("esc", "escape"), "Escape"),
    **dict.fromkeys(("backspace", "back_space"), "BackSpace"),
    **dict.fromkeys(("delete", "del"), "Delete"),
    **dict.fromkeys(("insert", "ins"), "Insert"),
    **dict.fromkeys(("arrowleft", "left", "leftarrow"), "Left"),
    **dict.fromkeys(("arrowright", "right", "rightarrow"), "Right"),
    **dict.fromkeys(("arrowup", "up", "uparrow"), "Up"),
    **dict.fromkeys(("arrowdown", "down", "downarrow"), "Down"),
    **dict.fromkeys(("pageup", "page_up", "pgup", "prior"), "Page_Up"),
    **dict.fromkeys(("pagedown", "page_down", "pgdn", "next"), "Page_Down"),
    **dict.fromkeys(("ctrl", "control", "control_l", "ctl"), "ctrl"),
    **dict.fromkeys(("alt", "alt_l", "option"), "alt"),
    **dict.fromkeys(("shift", "shift_l"), "shift"),
    **dict.fromkeys(("super", "super_l", "meta", "cmd", "command", "win", "windows"), "super"),
    **dict.fromkeys(("space", "spacebar", " "), "space"),
    **dict.fromkeys(("capslock", "caps_lock"), "Caps_Lock"),
    **dict.fromkeys(("printscreen", "print"), "Print"),
    **dict.fromkeys(("+", "plus"), "plus"),
    **dict.fromkeys(("-", "minus"), "minus"),
    "tab": "Tab",
    "home": "Home",
    "end": "End",
    "/": "slash",
    "\\": "backslash",
    "menu": "Menu",
}


def key_name(written: str) -> str:
    """The name of a key; one that is not known stays as it was written."""
    name = written if written == " " else written.strip()
    lower = name.lower()
    if lower in _NAMES:
        return _NAMES[lower]
    if lower[:1] == "f" and lower[1:].isdecimal():
        return lower.upper()
    return name


def chord(text: str) -> tuple[str, ...]:
    """The keys of `ctrl+shift+t`; a plus is itself a key where nothing else stands, as in `ctrl++`.

    Raises ValueError if there is none.
    """
    if text == " ":
        return ("space",)
    text = text.strip()
    plus = text == "+" or text.endswith("++")
    names = [*(text[:-1].removesuffix("+") if plus else text).split("+"), *("+" if plus else "")]
    keys = tuple(key_name(name) for name in names if name.strip())
    if not keys or (len(keys) < len(names) and text != "+"):
        raise ValueError("it names no key")
    return keys


def written_chord(keys: Iterable[str]) -> str:
    """The same as text: the inverse of `chord`."""
    return "+".join(keys)

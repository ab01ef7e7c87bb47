"""The settings of the window manager: how windows are moved, and the menu of programs."""

import shlex
from collections.abc import Mapping, Sequence
from typing import Final
from xml.sax.saxutils import escape, quoteattr

_MOUSE: Final = (
    ("Titlebar", "Left", "Press", ("Focus", "Raise")),
    ("Titlebar", "Left", "Drag", ("Move",)),
    ("Titlebar", "Left", "DoubleClick", ("ToggleMaximize",)),
    ("TLCorner TRCorner BLCorner BRCorner Top Bottom Left Right", "Left", "Drag", ("Resize",)),
    ("Client", "Left", "Press", ("Focus", "Raise")),
    ("Client", "Middle", "Press", ("Focus", "Raise")),
    ("Client", "Right", "Press", ("Focus", "Raise")),
    ("Close", "Left", "Click", ("Close",)),
    ("Maximize", "Left", "Click", ("ToggleMaximize",)),
    ("Iconify", "Left", "Click", ("Iconify",)),
    ("Frame", "A-Left", "Drag", ("Move",)),
)
_FONTS: Final = "".join(
    f'<font place="{place}"><name>sans</name><size>12</size></font>'
    for place in ("ActiveWindow", "InactiveWindow", "MenuItem")
)
"""Large enough for models that look at the screen."""
_MENU: Final = '<action name="ShowMenu"><menu>root-menu</menu></action>'


def settings() -> str:
    """What openbox reads as its rc.xml: the menu comes by a click on the background, or A-F1."""
    bound = "".join(
        f'<context name="{context}"><mousebind button="{button}" action="{event}">'
        + "".join(f'<action name="{each}"/>' for each in actions)
        + "</mousebind></context>"
        for context, button, event, actions in _MOUSE
    )
    root = "".join(
        f'<mousebind button="{button}" action="Press">{_MENU}</mousebind>'
        for button in ("Left", "Right")
    )
    return (
        '<?xml version="1.0"?><openbox_config xmlns="http://openbox.org/3.4/rc">'
        "<focus><focusNew>yes</focusNew></focus>"
        "<placement><policy>Smart</policy></placement>"
        "<theme><name>Clearlooks</name><titleLayout>NLIMC</titleLayout>"
        f"{_FONTS}</theme>"
        "<desktops><number>1</number><popupTime>0</popupTime></desktops>"
        f'<keyboard><keybind key="A-F1">{_MENU}</keybind>'
        '<keybind key="A-F4"><action name="Close"/></keybind>'
        '<keybind key="A-Tab"><action name="NextWindow"/></keybind></keyboard>'
        f'<mouse>{bound}<context name="Root">{root}</context></mouse>'
        "<menu><file>menu.xml</file></menu></openbox_config>"
    )


def menu(apps: Mapping[str, Sequence[str]]) -> str:
    """What openbox reads as its menu.xml: each program by its name."""
    items = "".join(
        f'<item label={quoteattr(name)}><action name="Execute">'
        f"<command>{escape(shlex.join(command))}</command></action></item>"
        for name, command in apps.items()
    )
    return (
        '<?xml version="1.0"?><openbox_menu xmlns="http://openbox.org/3.4/menu">'
        f'<menu id="root-menu" label="Programs">{items}</menu></openbox_menu>'
    )

"""What programs find in the home of a desktop when they begin."""

from collections.abc import Mapping, Sequence
from typing import Final

from cartrita.adapters.desktop.host import menu

_STILL: Final = "[Settings]\ngtk-cursor-blink=0\n"
"""GTK's cursor would blink for ten seconds and then stand: a picture that was taken while it was
not to be seen would never be true again, and nothing could be typed that a person allowed there.
"""


def files(apps: Mapping[str, Sequence[str]]) -> Mapping[str, str]:
    """The texts of files, by their paths in the home."""
    return {
        ".config/openbox/rc.xml": menu.settings(),
        ".config/openbox/menu.xml": menu.menu(apps),
        ".config/gtk-3.0/settings.ini": _STILL,
        ".config/gtk-4.0/settings.ini": _STILL,
    }

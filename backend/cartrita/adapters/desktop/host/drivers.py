"""Hands and eyes on a display, loaded while its X server starts."""

from Xlib import X
from Xlib.display import Display
from Xlib.error import ConnectionClosedError, DisplayError

from cartrita.adapters.desktop.host.driver.driver import XDriver
from cartrita.adapters.desktop.host.driving import Driver
from cartrita.domain.desktop_errors import DesktopGone


def drivers(display: str, settle_s: float) -> tuple[Driver, Driver]:
    """One that acts and one that looks, when a window manager has begun. Blocks.

    Raises DesktopGone if the display is gone before.
    """
    try:
        _wait_for_window_manager(display)
    except (DisplayError, ConnectionClosedError):
        raise DesktopGone.ended() from None
    return XDriver(display, settle_s), XDriver(display, settle_s)


def _wait_for_window_manager(display: str) -> None:
    """Wait until it lists its windows, which it does when it has read its settings."""
    connection = Display(display)
    root = connection.screen().root
    sign = connection.intern_atom("_NET_CLIENT_LIST")
    root.change_attributes(event_mask=X.PropertyChangeMask)
    while root.get_full_property(sign, X.AnyPropertyType) is None:
        connection.next_event()
    connection.close()

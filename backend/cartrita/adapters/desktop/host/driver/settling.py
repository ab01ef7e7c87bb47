"""Whether a desktop has done what it was told: it has read all, and its screen stands still."""

import threading
import time
from itertools import count
from typing import Final

from cartrita.adapters.desktop.host.driver.camera import Camera
from cartrita.adapters.desktop.host.driver.x_server import XServer

_QUIET_S: Final = 0.1
"""A screen that has not changed for so long stands still."""
_REACTION_S: Final = 0.3
"""One that has not changed at all is looked at for so long: menus open late."""
_READ_S: Final = 0.5
"""Nor has one of a program that cannot say what it has read: it shows what it reads sooner."""
_ECHO_S: Final = 2.0
"""Unless it has shown nothing at all yet: it may have got no processor, or may show nothing."""
_MANAGER_S: Final = 5.0
"""A window manager that hangs is not waited for any longer."""
_LOOK_S: Final = 0.02
"""Between two looks at it."""


class Settling:
    """Looks at the screen and asks the program that has the keyboard, instead of sleeping."""

    def __init__(self, server: XServer, camera: Camera) -> None:
        self._server = server
        self._camera = camera
        self._numbers = count(1)

    def wait(self, seconds: float, stop: threading.Event) -> None:
        """Return when the screen stands still, but at `stop` or after so long."""
        self._manager_has_read(stop)
        deadline = time.monotonic() + seconds
        self._has_read(deadline, stop)
        self._stand_still(_QUIET_S, _REACTION_S, deadline, stop)

    def wait_until_read(self, seconds: float, stop: threading.Event) -> None:
        """Return when the program has read its input, as far as this can be told."""
        deadline = time.monotonic() + seconds
        if not self._has_read(deadline, stop):
            self._stand_still(_READ_S, _ECHO_S, deadline, stop)

    def _manager_has_read(self, stop: threading.Event) -> None:
        """Wait until the window manager has passed on what it was shown first.

        A click on a window is held back for it, and keys that are pressed meanwhile are not: what
        is typed next would be typed where the click before that one was.
        """
        deadline = time.monotonic() + _MANAGER_S
        with self._server.asking_manager() as window:
            while window and time.monotonic() < deadline and not stop.is_set():
                if self._server.manager_told(window, _LOOK_S):
                    return

    def _has_read(self, deadline: float, stop: threading.Event) -> bool:
        """Whether it says that it has; those that cannot say so are not waited for."""
        number = next(self._numbers)
        with self._server.listening():
            if not self._server.ask_whether_caught_up(number):
                return False
            while time.monotonic() < deadline and not stop.is_set():
                if self._server.caught_up(number, _LOOK_S):
                    return True
        return False

    def _stand_still(
        self, quiet_s: float, reaction_s: float, deadline: float, stop: threading.Event
    ) -> None:
        seen, still_s = self._camera.seen, reaction_s
        changed = time.monotonic()
        while time.monotonic() < min(deadline, changed + still_s) and not stop.is_set():
            now = self._camera.grab()
            if now != seen:
                seen, changed, still_s = now, time.monotonic(), quiet_s
            stop.wait(_LOOK_S)

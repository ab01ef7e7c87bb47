"""Sees what is done on desktops: each press of a key or a button, as their X servers report it."""

import os
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final, NamedTuple, cast

from Xlib import XK, X, error
from Xlib.display import Display
from Xlib.ext import record
from Xlib.protocol import rq

_SOCKETS: Final = Path("/tmp/.X11-unix")
_FIRST_NUMBER: Final = 20_000
"""Of displays, by which those of desktops are known here: no X server takes one."""
_RETURN: Final = XK.string_to_keysym("Return")
_CLIENTS: Final[dict[str, Any]] = {
    "core_requests": (0, 0),
    "core_replies": (0, 0),
    "ext_requests": (0, 0, 0, 0),
    "ext_replies": (0, 0, 0, 0),
    "delivered_events": (0, 0),
    "device_events": (X.KeyPress, X.ButtonPress),
    "errors": (0, 0),
    "client_started": False,
    "client_died": False,
}
ENDED: Final = (
    error.ConnectionClosedError,
    error.DisplayError,
    error.XauthError,
    error.XNoAuthError,
    OSError,
)


class Pressed(NamedTuple):
    """Where a button was pressed."""

    x: int
    y: int


class Witness:
    """Of one desktop, from when it is made until its X server ends."""

    def __init__(self, host: int, cookie: Path | None = None) -> None:
        """`host` is the process of the desktop, and `cookie` a file with another than its own.

        Raises what is in `ENDED` if the desktop has ended, or lets nobody in.
        """
        self._typed: list[str] = []
        self.clicks: list[Pressed] = []
        with _connected(host, cookie) as (control, self._stream):
            self._letters = {
                code: letter
                for letter in "abcdefghijklmnopqrstuvwxyz0"
                if (code := control.keysym_to_keycode(XK.string_to_keysym(letter)))
            } | {control.keysym_to_keycode(_RETURN): "\n"}
            self._context = cast("Any", self._stream).record_create_context(
                0, [record.AllClients], [_CLIENTS]
            )
            self._stream.sync()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    @property
    def text(self) -> str:
        """What was typed, of the letters that are looked at."""
        return "".join(self._typed)

    def join(self) -> None:
        """Wait for the end of its X server."""
        self._thread.join()

    def _listen(self) -> None:
        stream = cast("Any", self._stream)
        with suppress(*ENDED):
            stream.record_enable_context(self._context, self._note)
        stream.display.socket.close()

    def _note(self, reply: Any) -> None:
        data = reply.data if reply.category == record.FromServer else b""
        field = rq.EventField(cast("Any", None))
        while data:
            event, data = field.parse_binary_value(data, self._stream.display, None, None)
            if event.type == X.KeyPress:
                self._typed.append(self._letters.get(event.detail, "?"))
            elif event.type == X.ButtonPress:
                self.clicks.append(Pressed(event.root_x, event.root_y))


@contextmanager
def _connected(host: int, cookie: Path | None) -> Generator[tuple[Display, Display]]:
    """Two connections with the display of a desktop: the first is closed at the end."""
    root = Path("/proc", str(host), "root")
    seen = _SOCKETS / f"X{_FIRST_NUMBER + host % 40_000}"
    directory = root / _SOCKETS.relative_to("/")
    sockets = [each for each in directory.glob("X*") if each.name[1:].isdigit()]
    if not sockets:
        raise OSError("It has no display yet.")
    seen.unlink(missing_ok=True)
    seen.symlink_to(sockets[0])
    os.environ["XAUTHORITY"] = str(cookie or directory / "authority")
    try:
        name = f":{seen.name[1:]}"
        first, second = Display(name), Display(name)
    finally:
        seen.unlink(missing_ok=True)
    try:
        yield first, second
    finally:
        first.close()

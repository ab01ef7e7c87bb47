"""What a screen shows: its pixels through shared memory, and pictures of them."""

import ctypes
import os
import socket
from typing import Any, cast

from mss import ScreenShotError
from mss.linux.xcbhelpers import LIB
from mss.linux.xshmgetimage import MSSImplXShmGetImage

from cartrita.adapters.desktop.host.driver import pictures
from cartrita.adapters.desktop.host.driver.pictures import Pixels
from cartrita.adapters.desktop.host.driver.x_server import Cursor, XServer
from cartrita.adapters.desktop.peers import peer
from cartrita.domain.desktop import Area, Shot
from cartrita.domain.desktop_places import Scale


class Camera:
    """Takes pictures. One of the same pixels and pointer as the last is that one again."""

    def __init__(self, server: XServer) -> None:
        self._server = server
        self._scale = Scale.of(server.width, server.height)
        self._whole = Area(0, 0, server.width, server.height)
        self._monitor = {"left": 0, "top": 0, "width": server.width, "height": server.height}
        self._fast = _fast(server)
        self._last: tuple[Pixels, Cursor, Shot] | None = None

    def close(self) -> None:
        """End its connection."""
        if self._fast is not None:
            self._fast.close()

    @property
    def seen(self) -> Pixels:
        """What the last picture of the whole screen showed; nothing if there is none."""
        return b"" if self._last is None else self._last[0]

    def grab(self) -> Pixels:
        """The pixels of the screen as BGRX, without the pointer."""
        if self._fast is not None:
            try:
                return self._fast.grab(self._monitor)
            except ScreenShotError:
                # Either the server is gone, which the slow way tells, or it refuses the fast one.
                self._fast = None
        return self._server.pixels(self._whole)

    def shot(self) -> Shot:
        """The whole screen, as it is shown."""
        pixels, cursor = self.grab(), self._server.cursor()
        if self._last is None or self._last[:2] != (pixels, cursor):
            whole = pictures.drawn(pixels, self._server.width, self._server.height, cursor)
            png = pictures.png(pictures.sized(whole, self._scale.shown))
            shot = Shot(png, *self._scale.shown, self._scale.as_shown(cursor.at))
            self._last = (pixels, cursor, shot)
        return self._last[2]

    def zoom(self, area: Area) -> Shot:
        """A part of the screen, in its own pixels, enlarged."""
        cursor = self._server.cursor()
        whole = pictures.drawn(self.grab(), self._server.width, self._server.height, cursor)
        picture = pictures.enlarged(whole, area)
        return Shot(pictures.png(picture), *picture.size, self._scale.as_shown(cursor.at))


def _fast(server: XServer) -> MSSImplXShmGetImage | None:
    """None where there are no libraries of XCB, or where they find another server.

    They look for an abstract socket first, and those belong to a network: the server of this name
    there may be the screen of a person at this machine, while ours has its socket in a directory.
    """
    try:
        camera = MSSImplXShmGetImage(display=server.name)
    except (ScreenShotError, OSError):
        return None
    with socket.socket(fileno=os.dup(_descriptor(camera))) as connection:
        if peer(connection) == server.peer and server.peer.pid:
            return camera
    camera.close()
    return None


def _descriptor(camera: MSSImplXShmGetImage) -> int:
    return LIB.xcb.xcb_get_file_descriptor(ctypes.byref(cast("Any", camera.conn)))

"""What a screen shows: its pixels through shared memory, and pictures of them."""

from typing import TypeAlias

from mss import MSS, ScreenShotError

from cartrita.adapters.desktop.host.driver import pictures
from cartrita.adapters.desktop.host.driver.x_server import Cursor, XServer
from cartrita.domain.desktop import Area, Shot

Pixels: TypeAlias = bytes | bytearray


class Camera:
    """Takes pictures. One of the same pixels and pointer as the last is that one again."""

    def __init__(self, server: XServer) -> None:
        self._server = server
        self._whole = Area(0, 0, server.width, server.height)
        self._fast = _fast(server.name)
        self._last: tuple[Pixels, Cursor, Shot] | None = None

    def close(self) -> None:
        """End its connection."""
        if self._fast is not None:
            self._fast.close()

    def grab(self) -> Pixels:
        """The pixels of the screen as BGRX, without the pointer."""
        if self._fast is not None:
            try:
                area = (0, 0, self._whole.right, self._whole.bottom)
                return self._fast.grab(area).raw
            except ScreenShotError:
                # Either the server is gone, which the slow way tells, or it refuses the fast one.
                self._fast = None
        return self._server.pixels(self._whole)

    def shot(self) -> Shot:
        """The whole screen."""
        pixels, cursor = self.grab(), self._server.cursor()
        if self._last is None or self._last[:2] != (pixels, cursor):
            picture = pictures.drawn(pixels, self._server.width, self._server.height, cursor)
            png = pictures.png(picture)
            self._last = (pixels, cursor, Shot(png, *picture.size, cursor.at))
        return self._last[2]

    def zoom(self, area: Area) -> Shot:
        """A part of the screen, enlarged."""
        cursor = self._server.cursor()
        whole = pictures.drawn(self.grab(), self._server.width, self._server.height, cursor)
        picture = pictures.enlarged(whole, area)
        return Shot(pictures.png(picture), *picture.size, cursor.at)


def _fast(display: str) -> MSS | None:
    """None where the libraries of XCB are not installed."""
    try:
        return MSS(display=display)
    except (ScreenShotError, OSError):
        return None

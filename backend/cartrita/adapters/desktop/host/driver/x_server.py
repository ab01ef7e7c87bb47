"""The X server of a desktop: the requests that we make of it, with types, over python-xlib.

All of them raise DesktopGone once it cannot be reached. Only one thread uses a connection.
"""

import array
import select
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby
from typing import Any, Final, NamedTuple, cast

from Xlib import X, error
from Xlib.display import Display
from Xlib.protocol import event
from Xlib.xobject.drawable import Window

from cartrita.adapters.desktop.host.driver.atoms import listed
from cartrita.adapters.desktop.host.driver.focus import DEEPEST, Focus, focus_of
from cartrita.adapters.desktop.peers import peer
from cartrita.domain.desktop import Area, Point
from cartrita.domain.desktop_errors import DesktopGone

_LOST = (
    error.ConnectionClosedError,
    error.DisplayError,
    error.XauthError,
    error.XNoAuthError,
    OSError,
)
_ALL_PLANES: Final = 0xFFFFFFFF
_REPLY_MASK: Final = X.SubstructureNotifyMask | X.SubstructureRedirectMask


class Cursor(NamedTuple):
    """The picture of the pointer. `pixels` are BGRA, their colours multiplied by their alpha."""

    at: Point
    hot: Point
    width: int
    height: int
    pixels: bytes


class XServer:
    """A connection, which goes through while a program has the server for itself."""

    def __init__(self, display: str) -> None:
        self.name = display
        with _reported():
            self._display = Display(display)
            self._x = cast("Any", self._display)
            # Its support of RandR takes the codes 0 to 2 for errors of its own, which it cannot
            # read: what the server says of a bad value would break the connection (0.33).
            self._x.display.error_classes.update(error.xerror_class)
            self._screen = cast("Any", self._display.screen())
            self._x.xfixes_query_version()
            self._x.xtest_grab_control(True)
            self._display.sync()
            self.peer = peer(self._x.display.socket)
            self._manager_tells = self._asks_manager()
        self.width: int = self._screen.width_in_pixels
        self.height: int = self._screen.height_in_pixels

    def close(self) -> None:
        """End the connection, which may have ended already."""
        with _unreported():
            self._display.close()
        self._x.display.socket.close()

    def sync(self) -> None:
        """Return when the server has done all that it was asked to."""
        with _reported():
            self._display.sync()

    def move(self, at: Point) -> None:
        """Move the pointer."""
        with _reported():
            self._x.xtest_fake_input(X.MotionNotify, x=at.x, y=at.y)
            self._display.flush()

    def press_button(self, button: int) -> None:
        """Press a button of the pointer."""
        self._input((X.ButtonPress, button))

    def release_button(self, *buttons: int) -> None:
        """Let buttons go; those that are not down do nothing."""
        self._input(*((X.ButtonRelease, button) for button in buttons))

    def press_keys(self, codes: Sequence[int]) -> None:
        """Press keys, in this order."""
        self._input(*((X.KeyPress, code) for code in codes))

    def release_keys(self, codes: Sequence[int]) -> None:
        """Let keys go, in this order; those that are not down do nothing."""
        self._input(*((X.KeyRelease, code) for code in codes))

    def tap_keys(self, codes: Sequence[int]) -> None:
        """Press keys in this order, and let them go in the reverse."""
        pressed = ((X.KeyPress, code) for code in codes)
        self._input(*pressed, *((X.KeyRelease, code) for code in reversed(codes)))

    @contextmanager
    def without_repeat(self) -> Generator[None]:
        """No key repeats itself within.

        A server that gets no processor for most of a second, after a press and before the release
        that follows it, would take the key for one that is held.
        """
        self._repeat(X.AutoRepeatModeOff)
        try:
            yield
        finally:
            self._repeat(X.AutoRepeatModeOn)

    def _repeat(self, mode: int) -> None:
        with _reported():
            self._display.change_keyboard_control(auto_repeat_mode=mode)
            self._display.flush()

    def keys_down(self) -> tuple[int, ...]:
        """The codes of the keys that are down, whoever pressed them."""
        with _reported():
            states = self._display.query_keymap()
        return tuple(code for code in range(256) if states[code // 8] >> code % 8 & 1)

    def pointer(self) -> Point:
        """Where the pointer is."""
        with _reported():
            found = self._screen.root.query_pointer()
        return Point(found.root_x, found.root_y)

    def caps_locked(self) -> bool:
        """Whether letters come out as capitals."""
        with _reported():
            return bool(self._screen.root.query_pointer().mask & X.LockMask)

    def keyboard(self) -> dict[int, tuple[int, ...]]:
        """The keysyms of each key by its code, as the core protocol shows them."""
        with _reported():
            first = self._x.display.info.min_keycode
            rows = self._display.get_keyboard_mapping(
                first, self._x.display.info.max_keycode - first + 1
            )
        return {code: tuple(row) for code, row in enumerate(rows, first)}

    def modifiers(self) -> frozenset[int]:
        """The codes of the keys that modify others."""
        with _reported():
            rows = self._display.get_modifier_mapping()
        return frozenset(code for row in rows for code in row if code)

    def assign(self, keysyms: dict[int, int]) -> None:
        """Give each code one keysym, the same with Shift and without."""
        with _reported():
            for _, run in groupby(enumerate(sorted(keysyms)), lambda pair: pair[1] - pair[0]):
                codes = [code for _, code in run]
                self._display.change_keyboard_mapping(
                    codes[0], [(keysyms[code], keysyms[code]) for code in codes]
                )
            self._display.sync()

    def cursor(self) -> Cursor:
        """The pointer as it looks now."""
        with _reported():
            try:
                found = self._x.xfixes_get_cursor_image(self._screen.root)
            except error.BadAccess:  # there is none, as without a window manager
                return Cursor(self.pointer(), Point(0, 0), 0, 0, b"")
        return Cursor(
            Point(found.x, found.y),
            Point(found.xhot, found.yhot),
            found.width,
            found.height,
            array.array("I", found.cursor_image).tobytes(),
        )

    def pixels(self, area: Area) -> bytes:
        """What an area shows, as BGRX."""
        with _reported():
            image = self._screen.root.get_image(
                area.left,
                area.top,
                area.right - area.left,
                area.bottom - area.top,
                X.ZPixmap,
                _ALL_PLANES,
            )
        return cast("bytes", image.data)

    @contextmanager
    def listening(self) -> Generator[None]:
        """Replies to `ask_whether_caught_up` are heard within."""
        with _reported():
            self._screen.root.change_attributes(event_mask=X.SubstructureNotifyMask)
        try:
            yield
        finally:
            with _reported():
                self._screen.root.change_attributes(event_mask=0)
                self._display.sync()
                while self._display.pending_events():
                    self._display.next_event()

    def ask_whether_caught_up(self, number: int) -> bool:
        """Ask the program that has the keyboard to reply when it has read all of its input.

        False if it is none that knows this question, which is _NET_WM_PING.
        """
        with _reported():
            window = self._pinged_window()
            if window is None:
                return False
            question = event.ClientMessage(
                window=window,
                client_type=self._display.get_atom("WM_PROTOCOLS"),
                data=(32, [self._display.get_atom("_NET_WM_PING"), number, window.id, 0, 0]),
            )
            window.send_event(question, event_mask=0)
            self._display.flush()
        return True

    def caught_up(self, number: int, seconds: float) -> bool:
        """Whether the reply to that question has come, after waiting so long for one."""
        return any(
            heard.type == X.ClientMessage and heard.data[1][1] == number
            for heard in self._heard(seconds)
        )

    @contextmanager
    def asking_manager(self) -> Generator[int]:
        """Have the window manager tell something of a window as soon as it has read its input.

        Yields that window, which is no more afterwards; 0 if there was no manager that knows this
        question, which is _NET_REQUEST_FRAME_EXTENTS, when this connection was made.
        """
        if not self._manager_tells:
            yield 0
            return
        with _reported():
            question = self._display.get_atom("_NET_REQUEST_FRAME_EXTENTS")
            window = self._screen.root.create_window(
                *(0, 0, 1, 1, 0, X.CopyFromParent, X.InputOnly), event_mask=X.PropertyChangeMask
            )
            asked = event.ClientMessage(window=window, client_type=question, data=(32, [0] * 5))
            self._screen.root.send_event(asked, event_mask=_REPLY_MASK)
            self._display.flush()
            try:
                yield window.id
            finally:
                window.destroy()
                self._display.sync()

    def manager_told(self, window: int, seconds: float) -> bool:
        """Whether the window manager has told that, after waiting so long for it."""
        return any(
            heard.type == X.PropertyNotify and heard.window.id == window
            for heard in self._heard(seconds)
        )

    def _heard(self, seconds: float) -> Iterator[Any]:
        """What comes, after waiting so long for the first of it."""
        with _reported():
            if not self._display.pending_events():
                select.select([self._display.fileno()], [], [], seconds)
            while self._display.pending_events():
                yield cast("Any", self._display.next_event())

    def focus(self) -> Focus:
        """What gets what is typed."""
        with _reported():
            return focus_of(self._display)

    def _asks_manager(self) -> bool:
        """Whether there is a window manager that can be asked, before programs may say anything."""
        known = listed(self._screen.root, self._display.get_atom("_NET_SUPPORTED"))
        return self._display.get_atom("_NET_REQUEST_FRAME_EXTENTS") in known

    def _pinged_window(self) -> Window | None:
        """The window of the program with the keyboard that answers pings, if there is one."""
        ping, protocols = map(self._display.get_atom, ("_NET_WM_PING", "WM_PROTOCOLS"))
        try:
            window = cast("Window | int", self._x.get_input_focus().focus)
            for _ in range(DEEPEST):
                if isinstance(window, int) or window == self._screen.root:
                    return None
                if ping in listed(window, protocols):
                    return window
                window = window.query_tree().parent
        except error.XError:  # it has just been closed
            return None
        return None

    def _input(self, *events: tuple[int, int]) -> None:
        with _reported():
            for kind, detail in events:
                self._x.xtest_fake_input(kind, detail)
            self._display.flush()


@contextmanager
def _reported() -> Generator[None]:
    try:
        yield
    except _LOST:
        raise DesktopGone.ended() from None


@contextmanager
def _unreported() -> Generator[None]:
    try:
        yield
    except _LOST:
        return

"""What drives a desktop: it does one action after the other, and looks."""

import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack, closing, suppress
from typing import NamedTuple

from cartrita.adapters.desktop.host.driver import pictures, refusals
from cartrita.adapters.desktop.host.driver.camera import Camera
from cartrita.adapters.desktop.host.driver.fingers import Fingers
from cartrita.adapters.desktop.host.driver.hand import Hand, PointerAction
from cartrita.adapters.desktop.host.driver.keyboard import Keyboard
from cartrita.adapters.desktop.host.driver.refusals import Screen
from cartrita.adapters.desktop.host.driver.settling import Settling
from cartrita.adapters.desktop.host.driver.shown_screens import ShownScreen, ShownScreens
from cartrita.adapters.desktop.host.driver.x_server import XServer
from cartrita.adapters.desktop.host.driving import Input, KeyInput, PointerInput
from cartrita.domain.desktop import (
    Action,
    CursorPosition,
    Done,
    HoldKey,
    Key,
    Point,
    Screenshot,
    Shot,
    Type,
    Wait,
    Zoom,
)
from cartrita.domain.desktop_errors import DesktopGone
from cartrita.domain.desktop_places import Scale
from cartrita.domain.desktop_stillness import Stillness


class _Parts(NamedTuple):
    """What of it lives as long as a connection to the X server."""

    server: XServer
    scale: Scale
    camera: Camera
    hand: Hand
    keyboard: Keyboard
    fingers: Fingers
    settling: Settling


class XDriver:
    """Drives the desktop of one display. One thread at a time uses it.

    Places are those of the screen as it is shown: see `desktop_places`.

    All methods raise DesktopGone once the display is, but for `let_go`. A connection that was lost
    is made anew by the next action, never in one.
    """

    def __init__(self, display: str, settle_s: float) -> None:
        self._display = display
        self._settle_s = settle_s
        self._parts = _connect(display)
        self._shown = ShownScreens()

    def act(self, action: Action, typed: str | None, stop: threading.Event) -> Done:
        """Do an action; `typed` is the text of a secret.

        Raises ActionRefused, with nothing done. Ends early at `stop`, with nothing held: what is
        told then is of what has been done so far.
        """
        began = time.monotonic()
        parts = self._connected()
        refusals.check_places(action, Screen(*parts.scale.shown))
        held, text = refusals.keysyms_held(action), refusals.keysyms_typed(action, typed)
        meant = parts.scale.on_screen(action)
        try:
            if isinstance(meant, Screenshot | Zoom | CursorPosition):
                after, screen = _seen(parts)
                before = after
            else:
                before = parts.camera.shot()
                after, screen = self._do(parts, meant, held or text, stop)
        except BaseException:
            self.let_go()
            raise
        if stop.is_set():
            self.let_go()
        return Done(
            before=before,
            after=after,
            picture=_picture(parts, action, after),
            pointer=_pointer(parts) if isinstance(action, CursorPosition) else None,
            seconds=time.monotonic() - began,
            digest=self._shown.keep(after, screen),
        )

    def enter(self, told: Sequence[Input]) -> None:
        """Do what a person does, in this order."""
        parts = self._connected()
        for one in told:
            match one:
                case KeyInput(keysym, down):
                    parts.fingers.follow(keysym, down=down)
                case PointerInput(at, buttons):
                    parts.hand.follow(at, buttons)
        parts.server.sync()

    def is_unchanged(self, digest: str, still: Stillness) -> bool:
        """Whether all that has to is now as the screen of this digest was after an action."""
        parts, shown = self._connected(), self._shown.find(digest)
        if shown is None or (still.focus and parts.server.focus() != shown.focus):
            return False
        now = parts.camera.grab()
        if still.whole:
            return now == shown.pixels
        size = parts.scale.screen
        return all(pictures.alike(shown.pixels, now, size, at) for at in _on_screen(parts, still))

    def check(self, action: Action, typed: str | None) -> None:
        """Raise ActionRefused for an action that would be refused. May be called by any thread."""
        refusals.check_places(action, Screen(*self._parts.scale.shown))
        refusals.keysyms_held(action)
        refusals.keysyms_typed(action, typed)

    def look(self) -> Shot:
        """The screen now."""
        return self._connected().camera.shot()

    def let_go(self) -> None:
        """Release all keys and buttons, whoever pressed them."""
        parts = self._parts
        with suppress(DesktopGone), ExitStack() as last_first:  # each, though another fails
            last_first.callback(parts.server.sync)
            last_first.callback(parts.keyboard.let_go)
            last_first.callback(parts.fingers.let_go)
            last_first.callback(parts.hand.let_go)

    def close(self) -> None:
        """End the connections."""
        self._parts.camera.close()
        self._parts.server.close()

    def _do(
        self,
        parts: _Parts,
        action: Wait | Type | Key | HoldKey | PointerAction,
        keysyms: list[int],
        stop: threading.Event,
    ) -> tuple[Shot, ShownScreen]:
        match action:
            case Wait():
                stop.wait(action.seconds)
                return _seen(parts)
            case Type():
                parts.keyboard.type(keysyms, stop)
            case Key():
                parts.keyboard.chord(keysyms, action.times, stop)
            case HoldKey():
                with parts.keyboard.held(keysyms, stop):
                    stop.wait(action.seconds)
            case _:
                with parts.keyboard.held(keysyms, stop):
                    parts.hand.do(action, stop)
        parts.settling.wait(self._settle_s, stop)
        return _seen(parts)

    def _connected(self) -> _Parts:
        try:
            self._parts.server.sync()
        except DesktopGone:
            self.close()
            self._parts = _connect(self._display)
        return self._parts


def _seen(parts: _Parts) -> tuple[Shot, ShownScreen]:
    """How the screen looks, and what had the focus just before: not a window that is not seen yet.

    It takes its time to make a picture, and one that comes meanwhile is not what was shown.
    """
    focus = parts.server.focus()
    shot = parts.camera.shot()
    return shot, ShownScreen(parts.camera.seen, focus)


def _pointer(parts: _Parts) -> Point:
    return parts.scale.as_shown(parts.server.pointer())


def _on_screen(parts: _Parts, still: Stillness) -> list[Point]:
    """Where on the screen the places are."""
    return [
        parts.server.pointer() if one is None else parts.scale.point_on_screen(one)
        for one in still.places
    ]


def _picture(parts: _Parts, action: Action, seen: Shot) -> Shot | None:
    match action:
        case Screenshot():
            return seen
        case Zoom():
            return parts.camera.zoom(parts.scale.area_on_screen(action.area))
        case _:
            return None


def _connect(display: str) -> _Parts:
    with ExitStack() as opened:
        server = opened.enter_context(closing(XServer(display)))
        camera = opened.enter_context(closing(Camera(server)))
        settling = Settling(server, camera)
        scale = Scale.of(server.width, server.height)
        keyboard = Keyboard(server, settling)
        fingers = Fingers(server, keyboard)
        opened.pop_all()
    return _Parts(server, scale, camera, Hand(server), keyboard, fingers, settling)

"""With real programs: what blinks comes back as it was, and what gets the keys is known."""

import threading
from collections import deque
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest
from PIL import Image
from tests.harness.x_display import XDisplay, eventually
from Xlib import X
from Xlib.display import Display

from cartrita.adapters.desktop.host import homes
from cartrita.adapters.desktop.host.driver import pictures
from cartrita.adapters.desktop.host.driver.driver import XDriver
from cartrita.adapters.desktop.host.driver.focus import DEEPEST, Focus
from cartrita.adapters.desktop.host.driver.x_server import XServer
from cartrita.domain.desktop import Action, Area, Move, Point, Screenshot, Type, Wait
from cartrita.domain.desktop_stillness import Stillness

pytestmark = pytest.mark.slow
_LONG = "gtk-cursor-blink-timeout=2147483647\n"
"""One that blinks would stop after ten seconds, and be still then, too."""
_WHOLE, _FOCUS = Stillness(whole=True), Stillness(focus=True)
_TERMINAL = ("xterm", "-title", "note", "-bc", "-e", "sh", "-c", "cat note -")
"""Its cursor blinks, as those of browsers do."""


def _do(driver: XDriver, action: Action) -> str:
    """What the screen after it is known by."""
    return driver.act(action, None, threading.Event()).digest


def _lately(
    count: int, see: Callable[[], object], holds: Callable[[set[object]], bool]
) -> Callable[[], bool]:
    """Whether it holds of what was seen the last so many times: longer than a cursor blinks."""
    seen: deque[object] = deque(maxlen=count)

    def held() -> bool:
        seen.append(see())
        return len(seen) == count and holds(set(seen))

    return held


def test_a_cursor_that_blinks_comes_back_and_a_letter_does_not_go(
    display: XDisplay, driver: XDriver
) -> None:
    (display.home / "note").write_text("Pay $ll")
    display.open("note", *_TERMINAL)
    look = _lately(100, lambda: driver.look().png, lambda seen: len(seen) == 2)
    eventually("it blinks, and does nothing else", look)
    shown = _do(driver, Screenshot())
    for _ in range(2):
        eventually("the cursor is another", lambda: not driver.is_unchanged(shown, _WHOLE))
        eventually("it is as it was", lambda: driver.is_unchanged(shown, _WHOLE))
    _do(driver, Type("l"))
    compare = _lately(100, lambda: driver.is_unchanged(shown, _WHOLE), lambda seen: seen == {False})
    eventually("it is not as it was any more", compare)
    assert driver.is_unchanged(shown, _FOCUS), "keys go where they went"


def test_that_of_gtk_does_not_blink_in_the_home_of_a_desktop(
    display: XDisplay, driver: XDriver
) -> None:
    for path, text in homes.files({}).items():
        file = display.home / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text + _LONG if file.suffix == ".ini" else text)
    display.open("Untitled", "mousepad")
    driver.act(Type("Pay $l"), None, threading.Event())
    look = _lately(100, lambda: driver.look().png, lambda seen: len(seen) == 1)
    eventually("it stands still", look)
    shown = _do(driver, Screenshot())
    assert driver.is_unchanged(shown, _WHOLE)
    _do(driver, Type("l"))
    compare = _lately(100, lambda: driver.is_unchanged(shown, _WHOLE), lambda seen: seen == {False})
    eventually("it is not as it was any more", compare)


@pytest.mark.parametrize("found", [True, False])
def test_windows_are_not_asked_for_what_they_lie_in_for_ever(
    display: XDisplay, *, found: bool
) -> None:
    with closing(Display(display.name)) as program, closing(XServer(display.name)) as server:
        window: Any = program.screen().root
        for _ in range(DEEPEST if found else DEEPEST + 1):
            window = window.create_window(5, 0, 9, 9, 0, X.CopyFromParent, override_redirect=True)
            window.map()
        window.set_input_focus(X.RevertToParent, X.CurrentTime)
        program.sync()
        focus = server.focus()
    assert focus.window != X.NONE
    assert focus.area == (Area(5, 0, 14, 9) if found else None)


def test_a_window_that_takes_the_focus_or_moves_is_known(
    display: XDisplay, driver: XDriver
) -> None:
    display.open("first", "xterm", "-title", "first", "-e", "cat")
    shown = _do(driver, Screenshot())
    assert driver.is_unchanged(shown, _FOCUS)
    second = display.open("second", "xterm", "-title", "second", "-e", "cat")
    assert not driver.is_unchanged(shown, _FOCUS)
    second.kill()
    eventually("the first has it again", lambda: driver.is_unchanged(shown, _FOCUS))
    with display._focused() as window:
        window.configure(x=300, y=300)
        window.get_geometry()
    eventually("it has moved", lambda: not driver.is_unchanged(shown, _FOCUS))


def _window(program: Display, left: int, **drawn: Any) -> Any:
    """One that no window manager knows, mapped; it is seen if it has a `background_pixel`."""
    root: Any = program.screen().root
    kind = X.CopyFromParent if drawn else X.InputOnly
    window = root.create_window(left, 300, 90, 90, 0, 0, kind, override_redirect=True, **drawn)
    window.map()
    program.sync()
    return window


def _give_focus(program: Display, window: Any) -> None:
    window.set_input_focus(X.RevertToParent, X.CurrentTime)
    program.sync()


def test_a_later_look_at_the_same_pixels_does_not_count_for_what_was_shown_before(
    display: XDisplay, driver: XDriver
) -> None:
    with closing(Display(display.name)) as program:
        first, second = _window(program, 100), _window(program, 500)
        _give_focus(program, first)
        decided = driver.act(Screenshot(), None, threading.Event())
        _give_focus(program, second)
        later = driver.act(Wait(0.01), None, threading.Event())
        assert later.after == decided.after, "it looks the same"
        assert not driver.is_unchanged(decided.digest, _FOCUS)
        assert driver.is_unchanged(later.digest, _FOCUS)
        _give_focus(program, first)
        assert driver.is_unchanged(decided.digest, _FOCUS)
        assert not driver.is_unchanged(later.digest, _FOCUS)


@pytest.mark.parametrize("action", [Screenshot(), Wait(0.01), Move(Point(50, 50))])
def test_what_has_the_focus_is_looked_up_once_for_what_is_shown(
    display: XDisplay, driver: XDriver, monkeypatch: pytest.MonkeyPatch, action: Action
) -> None:
    looked_up: list[Focus] = []
    focus = XServer.focus

    def counted(server: XServer) -> Focus:
        looked_up.append(focus(server))
        return looked_up[-1]

    with closing(Display(display.name)) as program:
        window = _window(program, 100)
        _give_focus(program, window)
        monkeypatch.setattr(XServer, "focus", counted)
        driver.act(action, None, threading.Event())
        assert [one.window for one in looked_up] == [window.id]


@pytest.mark.parametrize("action", [Screenshot(), Wait(0.01), Move(Point(50, 50))])
def test_a_window_that_is_not_in_the_picture_is_not_the_one_that_was_shown(
    display: XDisplay, driver: XDriver, monkeypatch: pytest.MonkeyPatch, action: Action
) -> None:
    with closing(Display(display.name)) as program:
        _give_focus(program, _window(program, 100))
        encoded: list[Image.Image] = []
        png = pictures.png

        def take_the_focus(picture: Image.Image) -> bytes:
            encoded.append(picture)
            seen = _window(program, 300 + 100 * len(encoded), background_pixel=0xFF0000)
            _give_focus(program, seen)
            return png(picture)

        monkeypatch.setattr(pictures, "png", take_the_focus)
        done = driver.act(action, None, threading.Event())
        assert encoded, "it came after the pixels were taken"
        monkeypatch.undo()
        assert driver.look().png != done.after.png
        assert not driver.is_unchanged(done.digest, _FOCUS)

"""Whatever ends an action early leaves no key or button down, and a dead display is reported."""

import gc
import os
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from tests.harness.x_display import XDisplay, eventually
from Xlib import XK, X
from Xlib.display import Display
from Xlib.ext import xtest

from cartrita.adapters.desktop.host.driver.driver import XDriver
from cartrita.adapters.desktop.host.driver.hand import Hand
from cartrita.adapters.desktop.host.driver.keyboard import Keyboard
from cartrita.adapters.desktop.host.driving import KeyInput
from cartrita.domain.desktop import (
    Action,
    Area,
    Click,
    CursorPosition,
    Done,
    Drag,
    HoldKey,
    Key,
    Move,
    Point,
    Press,
    Screenshot,
    Scroll,
    Type,
    Wait,
    Zoom,
)
from cartrita.domain.desktop_errors import ActionRefused, DesktopGone

# python-xlib closes no socket of a connection that it could not make.
_LEAK = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
pytestmark = pytest.mark.slow
_WATCHDOG_S = 60.0
_PATH = (Point(100, 100), Point(1200, 100), Point(1200, 700), Point(100, 700))


class _AtLook(threading.Event):
    """Does something when it is looked at for the nth time, and is set after that."""

    def __init__(self, nth: int, what: Callable[[], object] = lambda: None) -> None:
        super().__init__()
        self._left = nth
        self._what = what

    def is_set(self) -> bool:
        self._left -= 1
        if self._left == 0:
            self._what()
            self.set()
        return super().is_set()

    def wait(self, timeout: float | None = None) -> bool:
        return self.is_set() or super().wait(timeout)


@pytest.fixture
def thread() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as pool:
        yield pool


def _begun(
    thread: ThreadPoolExecutor, driver: XDriver, action: Action
) -> tuple[Future[Done], threading.Event]:
    stop = threading.Event()
    return thread.submit(driver.act, action, None, stop), stop


def _do(driver: XDriver, action: Action) -> Done:
    return driver.act(action, None, threading.Event())


def test_a_held_key_is_let_go_at_once(
    display: XDisplay, driver: XDriver, thread: ThreadPoolExecutor
) -> None:
    done, stop = _begun(thread, driver, HoldKey(("shift", "F5"), 300))
    eventually("both keys are down", lambda: display.keys_down() == 2)
    stop.set()
    assert done.result(_WATCHDOG_S).seconds < 300
    assert display.keys_down() == 0


def test_a_hold_ends_by_itself(display: XDisplay, driver: XDriver) -> None:
    _do(driver, HoldKey(("ctrl",), 0.01))
    assert display.keys_down() == 0


def test_a_wait_ends_at_once_and_buttons_are_let_go(
    display: XDisplay, driver: XDriver, thread: ThreadPoolExecutor
) -> None:
    _do(driver, Press())
    assert display.keys_down() == 1
    done, stop = _begun(thread, driver, Wait(300))
    stop.set()
    assert done.result(_WATCHDOG_S).seconds < 300
    assert display.keys_down() == 0


def test_keys_are_let_go_where_buttons_cannot_be(
    display: XDisplay, driver: XDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_: Hand) -> None:
        raise ValueError("The server says no.")

    driver.enter([KeyInput(XK.XK_F5, down=True)])
    assert display.keys_down() == 1
    monkeypatch.setattr(Hand, "let_go", fails)
    with pytest.raises(ValueError, match="says no"):
        driver.let_go()
    assert display.keys_down() == 0


@pytest.mark.parametrize("looks", [2, 5, 40])
@pytest.mark.parametrize(
    "action",
    [
        Type("aB" * 500),
        Key(("ctrl", "shift", "F7"), times=100),
        Drag(_PATH, keys=("alt",)),
        Scroll(down=100, right=100, keys=("ctrl",)),
    ],
    ids=["type", "key", "drag", "scroll"],
)
def test_whatever_is_stopped_leaves_nothing_down(
    display: XDisplay, driver: XDriver, action: Action, looks: int
) -> None:
    driver.act(action, None, _AtLook(looks))
    assert display.keys_down() == 0


def test_a_text_that_is_stopped_is_a_beginning_of_it(display: XDisplay, driver: XDriver) -> None:
    file = display.home / "note.txt"
    file.touch()
    display.open("note.txt", "mousepad", str(file))
    text = "0123456789 äöü\n" * 100
    driver.act(Type(text), None, _AtLook(100))
    _do(driver, Key(("ctrl", "s")))
    eventually("the file is saved", lambda: file.stat().st_size > 0)
    saved = file.read_text()
    assert text.startswith(saved)
    assert 50 < len(saved) <= 100


@_LEAK
@pytest.mark.usefixtures("collected")
@pytest.mark.parametrize(
    "action",
    [Type("aB" * 500), Drag(_PATH), Key(("ctrl", "a"), times=100)],
    ids=["type", "drag", "key"],
)
def test_a_display_that_dies_within_an_action_is_gone(
    display: XDisplay, driver: XDriver, action: Action
) -> None:
    def end() -> None:
        display.server.kill()
        display.server.wait()

    with pytest.raises(DesktopGone):
        driver.act(action, None, _AtLook(20, end))
    with pytest.raises(DesktopGone):
        _do(driver, Screenshot())
    with pytest.raises(DesktopGone):
        driver.look()
    driver.let_go()


@_LEAK
@pytest.mark.usefixtures("collected")
def test_there_is_no_driver_of_a_display_that_is_not() -> None:
    with pytest.raises(DesktopGone):
        XDriver(":48151", settle_s=1.0)


def test_connections_are_closed_where_not_all_of_a_driver_can_be_made(
    display: XDisplay, driver: XDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_: object, *parts: object) -> None:
        raise DesktopGone.ended()

    gc.collect()
    before = len(os.listdir("/proc/self/fd"))
    monkeypatch.setattr(Keyboard, "__init__", fails)
    for _ in range(3):
        with pytest.raises(DesktopGone):
            XDriver(display.name, settle_s=1.0)
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_lost_connection_is_made_anew_by_the_next_action(
    display: XDisplay, driver: XDriver
) -> None:
    _do(driver, Move(Point(5, 5)))
    driver._parts.server._x.display.socket.shutdown(socket.SHUT_RDWR)
    assert _do(driver, CursorPosition()).pointer == Point(5, 5)
    assert driver.look().pointer == Point(5, 5)


def test_keys_that_somebody_else_has_pressed_are_let_go(display: XDisplay, driver: XDriver) -> None:
    other = Display(display.name)
    for kind, detail in ((X.KeyPress, 50), (X.KeyPress, 38), (X.ButtonPress, 3)):
        xtest.fake_input(other, kind, detail)
    other.sync()
    assert display.keys_down() == 3
    driver.let_go()
    assert display.keys_down() == 0
    other.close()


@pytest.mark.parametrize(
    "action",
    [
        Click(at=Point(-1, 5)),
        Click(at=Point(5, 10**12)),
        Click(at=Point(5, 5), keys=("xyz",)),
        Drag((Point(5, 5), Point(1280, 5))),
        Scroll(down=3, at=Point(0, 800)),
        HoldKey(("shift", "xyz"), 300),
        Type("fine\x03"),
        Zoom(Area(0, 0, 2000, 10)),
    ],
)
def test_nothing_is_done_of_what_is_refused(
    display: XDisplay, driver: XDriver, action: Action
) -> None:
    _do(driver, Move(Point(300, 200)))
    with pytest.raises(ActionRefused):
        _do(driver, action)
    assert display.keys_down() == 0
    assert _do(driver, CursorPosition()).pointer == Point(300, 200)


def test_what_the_server_does_not_accept_breaks_nothing(
    display: XDisplay, driver: XDriver, capsys: pytest.CaptureFixture[str]
) -> None:
    driver._parts.server.press_button(200)
    assert _do(driver, Move(Point(7, 7))).after.pointer == Point(7, 7)
    assert "BadValue" in capsys.readouterr().err

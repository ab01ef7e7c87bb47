"""What is seen of a real display is what it shows, whichever way the pixels come."""

import io
import os
import socket
import threading
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager, suppress
from hashlib import sha256
from typing import Self

import pytest
from mss import MSS, ScreenShotError
from PIL import Image
from tests.harness.x_display import XDisplay
from Xlib.display import Display

from cartrita.adapters.desktop.host.driver import camera
from cartrita.adapters.desktop.host.driver.driver import XDriver
from cartrita.domain.desktop import (
    Action,
    Area,
    CursorPosition,
    Done,
    Move,
    Point,
    Screenshot,
    Shot,
    Wait,
    Zoom,
)
from cartrita.domain.desktop_errors import ActionRefused
from cartrita.domain.desktop_films import PressedPlace
from cartrita.domain.desktop_stillness import Stillness

pytestmark = pytest.mark.slow
_NUMBER = 1000 + os.getpid() % 50_000
"""Of a display: no other server has it."""
_ORANGE = 0xFF8800
_CORNER = Point(1279, 799)


@contextmanager
def _patch(display: XDisplay, area: Area) -> Generator[None]:
    """A window of one colour there, above all."""
    connection = Display(display.name)
    size = area.right - area.left, area.bottom - area.top
    window = connection.screen().root.create_window(
        area.left, area.top, *size, 0, 24, background_pixel=_ORANGE, override_redirect=1
    )
    window.map()
    connection.sync()
    yield
    connection.close()


@pytest.fixture
def patch(display: XDisplay) -> Iterator[None]:
    """One of 100 x 50 at 200, 300."""
    with _patch(display, Area(200, 300, 300, 350)):
        yield


class _Relay:
    """Another server at an address: what comes there goes to `target` and back."""

    def __init__(self, address: str, target: str) -> None:
        self._target = target
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(address)
        self._listener.listen()
        self._threads = [threading.Thread(target=self._accept)]

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.socket(socket.AF_UNIX)
                server.connect(self._target)
                for one, other in ((client, server), (server, client)):
                    self._threads.append(threading.Thread(target=_pass_on, args=(one, other)))
                    self._threads[-1].start()


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(1 << 16):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    source.close()


def _do(driver: XDriver, action: Action) -> Done:
    return driver.act(action, None, threading.Event())


def _image(shot: Shot | None) -> Image.Image:
    assert shot is not None
    with Image.open(io.BytesIO(shot.png)) as picture:
        picture.load()
    assert picture.size == (shot.width, shot.height)
    return picture


@pytest.mark.usefixtures("patch")
def test_each_pixel_is_where_it_is(driver: XDriver) -> None:
    _do(driver, Move(_CORNER))
    picture = _image(_do(driver, Screenshot()).picture)
    assert picture.size == (1280, 800)
    for inside in ((200, 300), (299, 349), (200, 349), (299, 300)):
        assert picture.getpixel(inside) == (0xFF, 0x88, 0x00)
    for outside in ((199, 300), (300, 300), (200, 299), (200, 350)):
        assert picture.getpixel(outside) != (0xFF, 0x88, 0x00)


@pytest.mark.usefixtures("patch")
def test_a_part_is_enlarged_and_places_stay_those_of_the_screen(driver: XDriver) -> None:
    _do(driver, Move(_CORNER))
    done = _do(driver, Zoom(Area(200, 300, 240, 320)))
    picture = _image(done.picture)
    assert picture.size == (1280, 640)
    assert picture.getcolors() == [(1280 * 640, (0xFF, 0x88, 0x00))]
    assert done.picture is not None
    assert done.picture.pointer == _CORNER
    assert (done.after.width, done.after.height) == (1280, 800)


def test_a_large_screen_is_shown_smaller_and_pointed_at_as_it_is_shown() -> None:
    with XDisplay(size="2560x1600") as large, closing(XDriver(large.name, settle_s=1.0)) as made:
        assert _image(_do(made, Screenshot()).picture).size == (1356, 847)
        for at in (Point(1355, 846), Point(0, 0), Point(677, 423)):
            assert _do(made, Move(at)).after.pointer == at
            assert _do(made, CursorPosition()).pointer == at
            real = made._parts.server.pointer()
            assert (real.x * 1356 // 2560, real.y * 847 // 1600) == (at.x, at.y)
        with pytest.raises(ActionRefused, match=r"outside of the screen \(1356 x 847\)"):
            _do(made, Move(Point(1356, 0)))
        with _patch(large, Area(2000, 1200, 2100, 1250)):
            shown = _image(made.look())
            assert shown.getpixel((2050 * 1356 // 2560, 1225 * 847 // 1600)) == (0xFF, 0x88, 0x00)
            closely = _image(_do(made, Zoom(Area(1065, 640, 1105, 656))).picture)
            assert closely.width > 1000, "what is looked at closely is in the screen's own pixels"
            assert closely.getpixel((200, 100)) == (0xFF, 0x88, 0x00)


def test_the_pointer_is_in_the_picture(driver: XDriver) -> None:
    first = _do(driver, Move(Point(100, 100))).after
    second = _do(driver, Move(Point(900, 500)))
    assert second.before == first
    assert (first.pointer, second.after.pointer) == (Point(100, 100), Point(900, 500))
    around = (95, 95, 130, 130)
    assert _image(first).crop(around).getcolors() != _image(second.after).crop(around).getcolors()


def test_a_picture_of_what_has_not_changed_is_the_same(driver: XDriver) -> None:
    done = _do(driver, Wait(0))
    assert done.before is done.after
    assert _do(driver, Screenshot()).picture is done.after
    assert driver.look() is done.after


@pytest.mark.usefixtures("patch")
def test_without_shared_memory_the_picture_is_the_same(
    display: XDisplay, driver: XDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**_: object) -> None:
        raise ScreenShotError("libxcb is not installed")

    fast = driver.look()
    monkeypatch.setattr(camera, "MSSImplXShmGetImage", refuse)
    slow = XDriver(display.name, settle_s=1.0)
    assert slow.look() == fast
    slow.close()


@pytest.mark.usefixtures("patch")
def test_a_server_that_only_bears_its_name_is_not_looked_at(
    display: XDisplay, driver: XDriver
) -> None:
    with XDisplay(options=(f":{_NUMBER}", "-nolisten", "local")) as ours:
        address = f"/tmp/.X11-unix/X{ours.name[1:]}"
        with _Relay("\0" + address, f"/tmp/.X11-unix/X{display.name[1:]}"):
            with MSS(display=ours.name) as deceived:
                assert deceived.grab((200, 300, 201, 301)).pixel(0, 0) == (0xFF, 0x88, 0x00)
            with closing(XDriver(ours.name, settle_s=1.0)) as made:
                assert _image(made.look()).getpixel((200, 300)) != (0xFF, 0x88, 0x00)
                _do(made, Move(Point(3, 4)))
                assert made.look().pointer == Point(3, 4)
                assert driver.look().pointer != Point(3, 4)


@pytest.mark.usefixtures("patch")
def test_a_server_that_refuses_shared_memory_later_is_asked_the_slow_way(
    driver: XDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    fast = driver.look()
    made = driver._parts.camera._fast
    assert made is not None

    def refuse(_: object) -> None:
        raise ScreenShotError("BadAccess")

    monkeypatch.setattr(made, "grab", refuse)
    assert driver.look() is fast


def test_what_has_changed_since_the_last_action_is_known_by_its_place(
    display: XDisplay, driver: XDriver
) -> None:
    within, beside, corner = Point(250, 325), Point(379, 325), Point(400, 500)
    looked = sha256(driver.look().png).hexdigest()
    assert not _unchanged(driver, looked, corner), "it was shown to a person alone"
    shown = _do(driver, Screenshot()).digest
    assert _unchanged(driver, shown, within, beside, corner, _CORNER)
    with _patch(display, Area(200, 300, 300, 350)):
        _do(driver, Screenshot())
        assert not _unchanged(driver, shown, corner, within), "another look is no other baseline"
        assert not _unchanged(driver, shown, beside)
        assert not driver.is_unchanged(shown, Stillness(whole=True))
        assert _unchanged(driver, shown, corner, _CORNER)
        driver._parts.server.move(within)
        assert not _unchanged(driver, shown, None), "the pointer is there"
    assert _unchanged(driver, shown, None)
    assert driver.is_unchanged(shown, Stillness(whole=True))


def test_what_was_shown_long_ago_is_not_known(driver: XDriver) -> None:
    shown = [_do(driver, Move(Point(100 * place, 100))).digest for place in range(1, 4)]
    assert _unchanged(driver, shown[0], _CORNER)
    assert _do(driver, Move(Point(100, 100))).digest == shown[0], "this is not shown long ago now"
    _do(driver, Move(Point(400, 100)))
    assert [_unchanged(driver, one, _CORNER) for one in shown] == [True, False, True]


def test_what_was_decided_on_is_known_to_the_end_of_its_call(driver: XDriver) -> None:
    decided = _do(driver, Screenshot()).digest
    assert _unchanged(driver, decided, _CORNER)
    for place in range(1, 6):  # its own looks, at a screen that changes meanwhile
        _do(driver, Move(Point(100 * place, 100)))
    assert _unchanged(driver, decided, _CORNER)


def _unchanged(driver: XDriver, digest: str, *places: PressedPlace) -> bool:
    return driver.is_unchanged(digest, Stillness(places=places))

"""What it takes to look at a desktop and to act on it, beside the plain ways, and four at once."""

import io
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, closing
from multiprocessing import get_context

from mss import MSS
from PIL import Image
from tests.benchmarks.desktop_starts import starts
from tests.benchmarks.figures import Figures, percentile, ratio, report, table
from tests.benchmarks.options import Options
from tests.harness.x_display import XDisplay

from cartrita.adapters.desktop.host.driver.driver import XDriver
from cartrita.domain.desktop import Action, Click, Done, Key, Move, Point, Screenshot, Type

_TEXT = ("The quick brown fox jumps over the lazy dog. " * 3)[:132]
_MIXED = "Grüße 日本語 😀 žluťoučký кот"
_SHOTS = 40
_ACTIONS = 12
_AT_ONCE = 4
_SCREEN = (0, 0, 1280, 800)


def measure(options: Options) -> None:
    """Contenders take turns, and the screen is another at each look, so that none is remembered."""
    with XDisplay() as display:
        _furnish(display)
        with closing(XDriver(display.name, settle_s=1.0)) as driver:
            looks = _looks(driver, display, options.rounds)
            report(table("a screenshot of 1280 x 800", looks))
            ours, plain = (figures["CPU ms"] for figures in looks.values())
            report(ratio("What mss and Pillow take of a processor, to ours", plain, ours))
            report(table("input alone", _inputs(driver, display, options.rounds)))
            report(table("an action, until the screen stands still", _actions(driver)))
    report(table("a screenshot while others take theirs", _crowd()))
    report(table("a desktop starts", starts(options.rounds)))


def _furnish(display: XDisplay) -> None:
    """An editor and a terminal."""
    file = display.home / "note.txt"
    file.write_text((_TEXT + "\n") * 30)
    display.open("terminal", "xterm", "-title", "terminal", "-geometry", "80x24+40+40")
    display.open("note.txt", "mousepad", str(file))


def _looks(driver: XDriver, display: XDisplay, rounds: int) -> dict[str, Figures]:
    ours: list[tuple[float, float]] = []
    plain: list[tuple[float, float]] = []
    sizes = {"ours": 0, "plain": 0}
    with MSS(display=display.name, with_cursor=True) as camera:

        def plainly() -> None:
            grabbed = camera.grab(_SCREEN)
            file = io.BytesIO()
            picture = Image.frombytes("RGB", grabbed.size, bytes(grabbed.raw), "raw", "BGRX")
            picture.save(file, "PNG", compress_level=1)
            sizes["plain"] = file.tell()

        def drive() -> None:
            sizes["ours"] = len(_do(driver, Screenshot()).after.png)

        for number in range(rounds * _SHOTS):
            driver._parts.server.move(Point(100 + number, 100))
            driver._parts.server.sync()
            ours.append(_both(drive))
            plain.append(_both(plainly))
    return {
        "ours, from the order to the PNG": _look(ours) | {"kB": sizes["ours"] / 1000},
        "mss with its pointer, and Pillow": _look(plain) | {"kB": sizes["plain"] / 1000},
    }


def _look(waits: list[tuple[float, float]]) -> dict[str, float]:
    clock, processor = zip(*waits, strict=True)
    return _spread(clock) | {"CPU ms": percentile(processor, 0.5) * 1000}


def _inputs(driver: XDriver, display: XDisplay, rounds: int) -> dict[str, Figures]:
    """Until the X server has it."""
    hand, keyboard = driver._parts.hand, driver._parts.keyboard
    never = threading.Event()
    waits: dict[str, list[float]] = {}

    def xdotool(*words: str, text: str | None = None) -> None:
        environment = {"DISPLAY": display.name, "LANG": "C.UTF-8", "PATH": "/usr/bin:/bin"}
        given = None if text is None else text.encode()
        subprocess.run(["xdotool", *words], env=environment, input=given, check=True)

    def click() -> None:
        hand.do(Click(at=Point(640, 420)), never)
        driver._parts.server.sync()

    contenders: dict[str, Callable[[], None]] = {
        "a click": click,
        "a click by xdotool": lambda: xdotool("mousemove", "640", "420", "click", "1"),
        "132 characters": lambda: keyboard.type([ord(one) for one in _TEXT], never),
        "132 characters by xdotool": lambda: xdotool(
            "type", "--delay", "1", "--file", "-", text=_TEXT
        ),
    }
    for _ in range(rounds * 4):
        for name, contender in contenders.items():
            waits.setdefault(name, []).append(_seconds(contender))
    return {name: _spread(seconds) for name, seconds in waits.items()}


def _actions(driver: XDriver) -> dict[str, Figures]:
    actions: dict[str, Action] = {
        "a click": Click(at=Point(640, 420)),
        "ctrl+Home": Key(("ctrl", "Home")),
        "132 characters": Type(_TEXT),
        f"{len(_MIXED)} characters of five scripts": Type(_MIXED),
        "a move": Move(Point(200, 700)),
    }
    return {
        name: _spread([_do(driver, action).seconds for _ in range(_ACTIONS)])
        for name, action in actions.items()
    }


def _crowd() -> dict[str, Figures]:
    """Each desktop is driven by a process of its own, as its host is."""
    rows: dict[str, Figures] = {}
    with ExitStack() as stack:
        displays = [stack.enter_context(XDisplay()) for _ in range(_AT_ONCE)]
        for display in displays:
            _furnish(display)
        for at_once in (1, _AT_ONCE):
            with ProcessPoolExecutor(at_once, get_context("spawn")) as pool:
                names = [display.name for display in displays[:at_once]]
                waits = [one for some in pool.map(_looking, names) for one in some]
            rows[f"{at_once} desktops" if at_once > 1 else "1 desktop"] = _spread(waits)
    return rows


def _looking(display: str) -> Sequence[float]:
    """As fast as it can."""
    waits: list[float] = []
    with closing(XDriver(display, settle_s=1.0)) as driver:
        for number in range(_SHOTS * 2):
            driver._parts.server.move(Point(100 + number, 100))
            driver._parts.server.sync()
            waits.append(_do(driver, Screenshot()).seconds)
    return waits


def _do(driver: XDriver, action: Action) -> Done:
    return driver.act(action, None, threading.Event())


def _both(what: Callable[[], None]) -> tuple[float, float]:
    """By the clock, and of this thread's processor."""
    began = time.thread_time()
    return _seconds(what), time.thread_time() - began


def _seconds(what: Callable[[], None]) -> float:
    began = time.perf_counter()
    what()
    return time.perf_counter() - began


def _spread(seconds: Sequence[float]) -> dict[str, float]:
    return {
        "p50 ms": percentile(seconds, 0.5) * 1000,
        "p95 ms": percentile(seconds, 0.95) * 1000,
    }

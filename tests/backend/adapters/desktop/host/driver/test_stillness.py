"""With real programs: cursors blink and come back as they were, and what gets the keys is known."""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from hashlib import sha256

import pytest
from tests.harness.x_display import XDisplay, eventually

from cartrita.adapters.desktop.host.driver.driver import XDriver
from cartrita.domain.desktop import Action, Screenshot, Type
from cartrita.domain.desktop_stillness import Stillness

pytestmark = pytest.mark.slow
_BLINKING = "[Settings]\ngtk-cursor-blink-timeout=2147483647\n"
"""GTK's cursor would stop after ten seconds."""
_WHOLE, _FOCUS = Stillness(whole=True), Stillness(focus=True)
_TERMINAL = ("xterm", "-title", "note", "-bc", "-e", "sh", "-c", "cat note -")


def _do(driver: XDriver, action: Action) -> str:
    """The digest of the picture after it."""
    return sha256(driver.act(action, None, threading.Event()).after.png).hexdigest()


def _lately(
    count: int, see: Callable[[], object], holds: Callable[[set[object]], bool]
) -> Callable[[], bool]:
    """Whether it holds of what was seen the last so many times: longer than a cursor blinks."""
    seen: deque[object] = deque(maxlen=count)

    def held() -> bool:
        seen.append(see())
        return len(seen) == count and holds(set(seen))

    return held


@pytest.mark.parametrize("command", [_TERMINAL, ("mousepad", "note")], ids=["xterm", "mousepad"])
def test_a_cursor_that_blinks_comes_back_and_a_letter_does_not_go(
    display: XDisplay, driver: XDriver, command: Sequence[str]
) -> None:
    settings = display.home / ".config" / "gtk-3.0"
    settings.mkdir(parents=True)
    (settings / "settings.ini").write_text(_BLINKING)
    (display.home / "note").write_text("Pay $ll")
    display.open("note", *command)
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

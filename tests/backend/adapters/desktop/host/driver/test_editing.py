"""In an editor on a real display: exact texts, keys, drags and scrolls; what is saved is read."""

import signal
import threading
from collections.abc import Callable

import pytest
from tests.harness.desktop_pictures import differs, shows_text
from tests.harness.x_display import XDisplay, eventually

from cartrita.adapters.desktop.host.driver import settling
from cartrita.adapters.desktop.host.driver.driver import XDriver
from cartrita.domain.desktop import (
    Action,
    Click,
    Done,
    Drag,
    HoldKey,
    Key,
    Move,
    Point,
    Press,
    Release,
    Scroll,
    Type,
)

pytestmark = pytest.mark.slow

_MIXED = (
    "Grüße, žluťoučký kůň; Ελληνικά, кириллица, עברית, العربية\n"
    "\t日本語の文章、한국어, 中文, ไทย\n"
    "😀 👩‍👩‍👧 🇪🇺 ∑ ∞ ≠ ½ € £ “quotes” – — …\n"
    "^ ` ´ ¨ ~ ' \" ° ˇ a\u0301 e\u0302 — dead keys are none\n"
    "AbC !@#$%^&*()_+{}|:\"<>? []\\;',./-= \u00a0nbsp\n"
)


_NUMBERED = "".join(f"This is the line {number}\n" for number in range(1, 201))


class _Editor:
    """Mousepad with a file, driven."""

    def __init__(self, display: XDisplay, driver: XDriver, text: str = "") -> None:
        self._display, self._driver = display, driver
        self.stop = threading.Event()
        self.file = display.home / "note.txt"
        self.file.write_text(text)
        display.open("note.txt", "mousepad", str(self.file))

    def do(self, action: Action, typed: str | None = None) -> Done:
        return self._driver.act(action, typed, self.stop)

    def inside(self, share: float, right: int = 60) -> Point:
        """A place on its text: so far down, and so many pixels from the left."""
        area = self._display.area()
        return Point(area.left + right, area.top + int((area.bottom - area.top) * share))

    def lay_out(self) -> None:
        """Have all of its text laid out, to whose end it can be scrolled only then."""
        area = self._display.area()
        eventually("the text is drawn", lambda: shows_text(self._driver.look().png, area))
        top = self._driver.look().png
        self.do(Key(("ctrl", "End")))
        eventually("the text has left its top", lambda: differs(top, self._driver.look().png))
        self.do(Key(("ctrl", "Home")))
        eventually("it is at its top", lambda: not differs(top, self._driver.look().png))

    def saved(self) -> str:
        """What is in the file after ctrl+s."""
        before = self.file.stat().st_mtime_ns
        self.do(Key(("ctrl", "s")))
        eventually("the file is saved", lambda: self.file.stat().st_mtime_ns != before)
        return self.file.read_text()


def _written(display: XDisplay, driver: XDriver, text: str) -> str:
    editor = _Editor(display, driver)
    editor.do(Type(text))
    return editor.saved()


def test_any_text_is_typed_exactly(display: XDisplay, driver: XDriver) -> None:
    editor = _Editor(display, driver)
    editor.do(Type(_MIXED))
    editor.do(Type(secret="PIN"), "geheim ß 秘密")
    assert editor.saved() == _MIXED + "geheim ß 秘密"


def test_ten_thousand_characters_are_too(display: XDisplay, driver: XDriver) -> None:
    line = "The quick brown fox jumps over 13 lazy dogs; naïve façade, 100 %.\n"
    text = (line * 200)[:10_000]
    assert _written(display, driver, text) == text


def test_more_characters_than_there_are_keys_are_too(display: XDisplay, driver: XDriver) -> None:
    text = "".join(map(chr, range(0x4E00, 0x4E00 + 1000))) + "".join(
        map(chr, range(0x4E00, 0x4E80))
    )
    assert _written(display, driver, text) == text


def test_caps_lock_changes_no_text_and_stays(display: XDisplay, driver: XDriver) -> None:
    editor = _Editor(display, driver)
    editor.do(Key(("caps_lock",)))
    editor.do(Type("aBc ß "))
    editor.do(Key(("a",)))
    assert editor.saved() == "aBc ß A"


def test_keys_go_together_and_as_often_as_is_said(display: XDisplay, driver: XDriver) -> None:
    editor = _Editor(display, driver, "one two three")
    editor.do(Key(("ctrl", "END")))
    editor.do(Key(("BackSpace",), times=5))
    editor.do(Key(("ctrl", "shift", "ArrowLeft")))
    editor.do(Type("zwei"))
    editor.do(Key(("shift", "1")))
    editor.do(Key(("+",)))
    editor.do(Key(("Enter",)))
    editor.do(Key(("é",)))
    assert editor.saved() == "one zwei!+\né"


def test_a_drag_selects_what_is_between(display: XDisplay, driver: XDriver) -> None:
    editor = _Editor(display, driver, _NUMBERED)
    start, end = editor.inside(0.5), editor.inside(0.7)
    editor.do(Drag((start, Point(start.x + 90, start.y + 20), end)))
    editor.do(Type("<>"))
    first, last = _cut(editor.saved())
    assert 0 < first < last - 1 < 200


def test_a_click_with_shift_selects_too(display: XDisplay, driver: XDriver) -> None:
    editor = _Editor(display, driver, _NUMBERED)
    editor.do(Click(editor.inside(0.5)))
    editor.do(Click(editor.inside(0.7), keys=("SHIFT",)))
    editor.do(Type("<>"))
    first, last = _cut(editor.saved())
    assert 0 < first < last - 1 < 200


def test_pressing_moving_and_releasing_are_a_drag(display: XDisplay, driver: XDriver) -> None:
    editor = _Editor(display, driver, _NUMBERED)
    for action in (Move(editor.inside(0.5)), Press(), Move(editor.inside(0.6))):
        editor.do(action)
    assert display.keys_down() == 1
    for action in (Move(editor.inside(0.7)), Release(), Type("<>")):
        editor.do(action)
    assert display.keys_down() == 0
    first, last = _cut(editor.saved())
    assert 0 < first < last - 1 < 200


def test_two_clicks_select_a_word_and_three_a_line(display: XDisplay, driver: XDriver) -> None:
    editor = _Editor(display, driver, "some words here\n" * 100)
    editor.do(Click(editor.inside(0.5, 8), times=2))
    editor.do(Type("<>"))
    assert editor.saved().count("<> words here\n") == 1
    editor.do(Click(editor.inside(0.8, 8), times=3))
    editor.do(Type("<>"))
    assert editor.saved().count("some words here") == 98


class _AfterLooks(threading.Event):
    """Does something when it has been looked at so often; it is never set."""

    def __init__(self, looks: int, what: Callable[[], object]) -> None:
        super().__init__()
        self._left = looks
        self._what = what

    def is_set(self) -> bool:
        self._left -= 1
        if self._left == 0:
            self._what()
        return super().is_set()


def test_what_is_typed_after_a_click_does_not_overtake_it(
    display: XDisplay, driver: XDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even where the window manager, which passes clicks on, is slow."""
    monkeypatch.setattr(settling, "_MANAGER_S", 600.0)
    editor = _Editor(display, driver, _NUMBERED)
    manager = display.manager
    editor.stop = _AfterLooks(60, lambda: manager.send_signal(signal.SIGCONT))
    manager.send_signal(signal.SIGSTOP)
    editor.do(Click(editor.inside(0.5)))
    editor.do(Type("<>"))
    editor.stop = threading.Event()
    manager.send_signal(signal.SIGCONT)
    assert "<>" not in editor.saved().partition("\n")[0]


@pytest.mark.parametrize(
    ("action", "repeats"),
    [(Type("ab" * 50), 0), (Key(("Right",), times=100), 0), (HoldKey(("Right",), 0.5), 1)],
    ids=["type", "key", "hold"],
)
def test_keys_repeat_themselves_only_where_they_are_held(
    display: XDisplay, driver: XDriver, action: Action, repeats: int
) -> None:
    """A server that gets no processor between press and release would repeat the key else."""
    seen: list[int] = []

    def look() -> None:
        driver._parts.server.sync()
        seen.append(display.repeats())

    driver.act(action, None, _AfterLooks(5, look))
    assert seen == [repeats]
    assert display.repeats() == 1


def test_the_wheel_moves_the_text_and_back(display: XDisplay, driver: XDriver) -> None:
    editor = _Editor(display, driver, _NUMBERED)
    editor.lay_out()
    at = editor.inside(0.5)
    for notches, mark in ((0, "<0>"), (5, "<5>"), (-3, "<2>"), (-100, "<top>")):
        editor.do(Scroll(down=notches, at=at))
        editor.do(Click(at))
        editor.do(Type(mark))
    lines = [line for line in editor.saved().splitlines() if "<" in line]
    assert "<0>" in lines[0]
    assert "<top>" in lines[0]
    assert "<2>" in lines[1]
    assert "<5>" in lines[2]


def _cut(text: str) -> tuple[int, int]:
    """Between which of the numbered lines something was replaced by `<>`."""
    before, after = text.split("<>")
    assert _NUMBERED.startswith(before)
    assert _NUMBERED.endswith(after)
    return before.count("\n"), 201 - after.count("\n")

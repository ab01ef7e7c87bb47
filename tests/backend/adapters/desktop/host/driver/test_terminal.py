"""In a terminal, which tells nobody what it has read: commands, and more symbols than keys."""

import threading

import pytest
from tests.harness.x_display import XDisplay, eventually

from cartrita.adapters.desktop.host.driver.driver import XDriver
from cartrita.domain.desktop import Key, Type

pytestmark = pytest.mark.slow
_COPY = "sh -c 'cat > out.txt; touch end'"


def test_a_command_that_is_typed_is_run(display: XDisplay, driver: XDriver) -> None:
    display.open("terminal", "xterm", "-title", "terminal", "-e", "sh")
    command = "printf '%s' 'Grüße 日本 😀 $HOME' > out.txt && mv out.txt done.txt"
    driver.act(Type(command + "\n"), None, threading.Event())
    file = display.home / "done.txt"
    eventually("the command has ended", file.exists)
    assert file.read_text() == "Grüße 日本 😀 $HOME"


def test_more_symbols_than_keys_are_typed_exactly(display: XDisplay, driver: XDriver) -> None:
    display.open(
        "terminal", "xterm", "-title", "terminal", "-e", "sh -c 'cat > out.txt; touch end'"
    )
    symbols = "".join(map(chr, range(0x4E00, 0x4E00 + 500)))
    text = "".join(symbols[start : start + 50] + "\n" for start in range(0, 500, 50))
    driver.act(Type(text), None, threading.Event())
    driver.act(Key(("ctrl", "d")), None, threading.Event())
    eventually("the program has ended", (display.home / "end").exists)
    assert (display.home / "out.txt").read_text() == text

"""What a person types comes out as on their own keyboard, whatever the state of ours."""

import threading

import pytest
from tests.harness.x_display import XDisplay, eventually
from Xlib import XK

from cartrita.adapters.desktop.host.driver.driver import XDriver
from cartrita.adapters.desktop.host.driving import Input, KeyInput, PointerInput
from cartrita.domain.desktop import Point, Type

pytestmark = pytest.mark.slow
_EURO = 0x0100_20AC


def tap(*keysyms: int) -> list[Input]:
    return [KeyInput(one, down=down) for one in keysyms for down in (True, False)]


def while_down(keysym: int, told: list[Input]) -> list[Input]:
    return [KeyInput(keysym, down=True), *told, KeyInput(keysym, down=False)]


def test_symbols_come_out_as_they_are_told(display: XDisplay, driver: XDriver) -> None:
    display.open("terminal", "xterm", "-title", "terminal", "-e", "sh -c 'cat > out; touch end'")
    driver.enter(
        [
            *tap(ord("a"), ord("B"), ord("!"), 0xDF, _EURO),
            *while_down(XK.XK_Shift_L, tap(ord("c"), ord("D"), ord("2"), ord("@"))),
            *tap(XK.XK_Caps_Lock),
            *tap(ord("e"), ord("F"), ord("3"), ord("#")),
            *while_down(XK.XK_Shift_R, tap(ord("g"), ord("H"))),
            *tap(XK.XK_Caps_Lock),
            *tap(XK.XK_KP_7, XK.XK_KP_Add, XK.XK_KP_Decimal),
            *tap(XK.XK_x, XK.XK_BackSpace, XK.XK_Return),
            *while_down(XK.XK_Control_L, tap(ord("d"))),
        ]
    )
    eventually("the program has ended", (display.home / "end").exists)
    assert (display.home / "out").read_text() == "aB!ß€cD2@eF3#gH7+.\n"
    assert display.keys_down() == 0


def test_what_no_key_can_bear_does_nothing(display: XDisplay, driver: XDriver) -> None:
    driver.enter(tap(0, 0xFED5, 0x1008_FE20, 0xFFFF_FFFF, 0x2000_0000))
    assert display.server.poll() is None
    assert driver.look().pointer


def test_buttons_go_down_and_up_as_they_are_told(display: XDisplay, driver: XDriver) -> None:
    place = Point(600, 500)
    driver.enter([PointerInput(place, 0), PointerInput(place, 0b101)])
    assert display.keys_down() == 2
    driver.enter([PointerInput(Point(65535, 65535), 0b100)])
    assert display.keys_down() == 1
    assert driver.look().pointer == Point(1279, 799)
    driver.let_go()
    assert display.keys_down() == 0
    driver.enter([PointerInput(place, 0b1)])
    assert display.keys_down() == 1


def test_what_a_person_left_down_does_not_change_what_is_typed_afterwards(
    display: XDisplay, driver: XDriver
) -> None:
    display.open("terminal", "xterm", "-title", "terminal", "-e", "sh -c 'cat > out; touch end'")
    driver.enter([KeyInput(XK.XK_Shift_L, down=True)])
    driver.let_go()
    driver.act(Type("low\n"), None, threading.Event())
    driver.enter(while_down(XK.XK_Control_L, tap(ord("d"))))
    eventually("the program has ended", (display.home / "end").exists)
    assert (display.home / "out").read_text() == "low\n"

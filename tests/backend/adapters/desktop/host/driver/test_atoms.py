"""Whatever a program sets as a list of atoms, little of it is read, and nothing fails of it."""

import threading
from collections.abc import Sequence
from contextlib import closing
from types import SimpleNamespace
from typing import cast

import pytest
from tests.harness.x_display import XDisplay
from Xlib import X, Xatom
from Xlib.display import Display
from Xlib.xobject.drawable import Window

from cartrita.adapters.desktop.host.driver.atoms import listed
from cartrita.adapters.desktop.host.driver.driver import XDriver
from cartrita.domain.desktop import Move, Point

NO_ATOMS = (8, b"abc"), (16, [1, 2]), (0, None)
FOUR_KB = 1024


class Holder:
    """A window with one property."""

    def __init__(self, found: object) -> None:
        self._found = found
        self.asked: list[tuple[int, ...]] = []

    def get_property(self, *asked: int) -> object:
        self.asked.append(asked)
        return self._found


def read(holder: Holder) -> frozenset[int]:
    return listed(cast("Window", holder), 7)


def test_no_more_than_four_kilobytes_are_read() -> None:
    holder = Holder(SimpleNamespace(format=32, value=[5, 6], bytes_after=48 << 20))
    assert read(holder) == {5, 6}
    assert holder.asked == [(7, Xatom.ATOM, 0, FOUR_KB)]


@pytest.mark.parametrize(("bits", "value"), NO_ATOMS)
def test_what_is_no_list_of_atoms_lists_none(bits: int, value: object) -> None:
    assert read(Holder(SimpleNamespace(format=bits, value=value))) == frozenset()
    assert read(Holder(None)) == frozenset()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "bits", "value"),
    [(Xatom.STRING, 8, b"abc"), (Xatom.ATOM, 8, b"abc"), (Xatom.ATOM, 32, [1] * 50_000)],
)
def test_no_action_fails_of_it(
    display: XDisplay, driver: XDriver, kind: int, bits: int, value: Sequence[int]
) -> None:
    with closing(Display(display.name)) as program:
        root = program.screen().root
        window = root.create_window(0, 0, 50, 50, 0, X.CopyFromParent, override_redirect=True)
        window.map()
        for holder, name in ((root, "_NET_SUPPORTED"), (window, "WM_PROTOCOLS")):
            holder.change_property(program.get_atom(name), kind, bits, value)
        window.set_input_focus(X.RevertToNone, X.CurrentTime)
        program.sync()
        done = driver.act(Move(Point(7, 8)), None, threading.Event())
        assert done.after.pointer == Point(7, 8)
        again = XDriver(display.name, settle_s=0.1)
        assert again.act(Move(Point(9, 8)), None, threading.Event()).after.pointer == Point(9, 8)
        again.close()

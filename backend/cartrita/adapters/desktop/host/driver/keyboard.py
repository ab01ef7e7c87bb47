"""The keyboard of a desktop: chords, keys that are held, and any text, exactly."""

import threading
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Final

from cartrita.adapters.desktop.host.driver.key_map import KeyMap
from cartrita.adapters.desktop.host.driver.key_names import CAPS_LOCK
from cartrita.adapters.desktop.host.driver.settling import Settling
from cartrita.adapters.desktop.host.driver.x_server import XServer
from cartrita.domain.desktop_errors import ActionRefused

_CATCH_UP_S: Final = 10.0
"""A program that has not read its input for so long is not waited for any longer."""


class Keyboard:
    """What no key bears gets a key to spare, which keeps it until another symbol needs it.

    Programs look up what a key bears when they read its press, so a key is lent to another symbol
    only after they have read all that was pressed on it.
    """

    def __init__(self, server: XServer, settling: Settling) -> None:
        self._server = server
        self._settling = settling
        self._lent: dict[int, int] = {}
        self._unread: set[int] = set()

    def type(self, keysyms: Sequence[int], stop: threading.Event) -> None:
        """Type these symbols one after the other, until `stop`."""
        with self._server.without_repeat(), self._small_letters():
            while keysyms and not stop.is_set():
                keys, count = self._borrow(keysyms, stop)
                self._tap(keys, keysyms[:count], stop)
                keysyms = keysyms[count:]

    def chord(self, keysyms: Sequence[int], times: int, stop: threading.Event) -> None:
        """Press keys together and let them go, so many times or until `stop`."""
        codes = self._borrow(keysyms, stop)[0].codes(keysyms)
        with self._server.without_repeat():
            for _ in range(times):
                if stop.is_set():
                    return
                self._server.tap_keys(codes)
        self._unread.update(codes)

    @contextmanager
    def held(self, keysyms: Sequence[int], stop: threading.Event) -> Generator[None]:
        """Keys are down within."""
        if not keysyms:
            yield
            return
        codes = self._borrow(keysyms, stop)[0].codes(keysyms)
        self._unread.update(codes)
        try:
            self._server.press_keys(codes)
            yield
        finally:
            self._server.release_keys(codes[::-1])

    def bearing(self, keysym: int) -> KeyMap:
        """The keyboard when it bears this symbol, which is about to be pressed."""
        keys, _ = self._borrow((keysym,), threading.Event())
        self._unread.add(keys.stroke(keysym).code)
        return keys

    def let_go(self) -> None:
        """Release all keys, whoever pressed them."""
        self._server.release_keys(self._server.keys_down())

    def _tap(self, keys: KeyMap, keysyms: Sequence[int], stop: threading.Event) -> None:
        for keysym in keysyms:
            if stop.is_set():
                return
            codes = keys.codes((keysym,))
            self._unread.update(codes)
            self._server.tap_keys(codes)
        self._server.sync()

    def _borrow(self, keysyms: Sequence[int], stop: threading.Event) -> tuple[KeyMap, int]:
        """The keyboard when it bears all of the first so many of these symbols."""
        keys = self._map()
        count, lacking = _together(keysyms, keys)
        if not count and keysyms:
            raise ActionRefused("This keyboard has no key to spare for what is to be typed.")
        if not lacking:
            return keys, count
        wanted = set(keysyms[:count])
        codes = [code for code in keys.spare if keys.lent.get(code) not in wanted][: len(lacking)]
        if self._unread.intersection(codes):
            self._settling.wait_until_read(_CATCH_UP_S, stop)
            self._unread.clear()
        loans = dict(zip(codes, lacking, strict=True))
        self._server.assign(loans)
        self._lent = {code: one for code, one in keys.lent.items() if code not in loans} | loans
        return self._map(), count

    def _map(self) -> KeyMap:
        return KeyMap(self._server.keyboard(), self._server.modifiers(), self._lent)

    @contextmanager
    def _small_letters(self) -> Generator[None]:
        """Caps Lock is off within."""
        locked = self._server.caps_locked()
        keys = self._map().codes((CAPS_LOCK,)) if locked else ()
        self._server.tap_keys(keys)
        try:
            yield
        finally:
            self._server.tap_keys(keys)


def _together(keysyms: Sequence[int], keys: KeyMap) -> tuple[int, list[int]]:
    """How many of the symbols can be there together, and those of them that no key bears yet."""
    loans: set[int] = set()
    for count, keysym in enumerate(keysyms):
        if not keys.owns(keysym):
            loans.add(keysym)
        if len(loans) > len(keys.spare):
            return count, [one for one in loans - {keysym} if keys.lacks(one)]
    return len(keysyms), [one for one in loans if keys.lacks(one)]

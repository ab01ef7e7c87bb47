"""Which keys of a keyboard bear which symbols, and which of them are to spare for others."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from cartrita.adapters.desktop.host.driver.key_names import SHIFT, capital, is_special, is_written


class Stroke(NamedTuple):
    """A key by its code, and whether Shift is to be held for what is meant."""

    code: int
    shifted: bool


class KeyMap:
    """A keyboard as it is at one moment.

    A key is to spare if it bears nothing, or what no desktop here has a use for, and modifies
    nothing; or if it is in `lent`, still with the symbol that it was lent to.
    """

    def __init__(
        self,
        keyboard: Mapping[int, tuple[int, ...]],
        modifiers: frozenset[int],
        lent: Mapping[int, int],
    ) -> None:
        self._strokes: dict[int, Stroke] = {}
        # Of two keys with a symbol, the one that needs no Shift, and of those the first.
        for column in (1, 0):
            for code in sorted(keyboard, reverse=True):
                symbols = keyboard[code][column : column + 1]
                if symbols and symbols[0]:
                    self._strokes[symbols[0]] = Stroke(code, column == 1)
        self._keyboard = keyboard
        self._shift = self._strokes.get(SHIFT)
        self.lent = {code: one for code, one in lent.items() if one in keyboard.get(code, ())}
        idle = [
            code
            for code, symbols in keyboard.items()
            if code not in modifiers
            and code not in self.lent
            and all(not symbol or is_special(symbol) for symbol in symbols)
        ]
        self.spare = (*sorted(idle, key=lambda code: any(keyboard[code])), *self.lent)
        """Their codes; first those that bear nothing, and last those lent most recently."""

    def lacks(self, keysym: int) -> bool:
        """Whether no key bears it."""
        return keysym not in self._strokes

    def owns(self, keysym: int) -> bool:
        """Whether a key bears it that was not lent to it."""
        stroke = self._strokes.get(keysym)
        return stroke is not None and stroke.code not in self.lent

    def stroke(self, keysym: int) -> Stroke:
        """The key of a symbol that is there."""
        return self._strokes[keysym]

    def shift_for(self, keysym: int, *, capitals: bool) -> bool | None:
        """Whether Shift makes this symbol of its key, or must not; None if it makes no difference.

        With Caps Lock letters come as `capitals`.
        """
        code, shifted = self._strokes[keysym]
        plain, other = (*self._keyboard[code], 0, 0)[:2]
        if other in (0, plain) or not is_written(plain):
            return None
        return shifted != (capitals and other == capital(plain))

    def codes(self, keysyms: Iterable[int]) -> tuple[int, ...]:
        """The keys to press together for symbols that are all there, with Shift if needed."""
        strokes = [self._strokes[one] for one in keysyms]
        codes = [stroke.code for stroke in strokes]
        if self._shift and any(stroke.shifted for stroke in strokes):
            codes.insert(len(codes) - 1, self._shift.code)
        return tuple(dict.fromkeys(codes))

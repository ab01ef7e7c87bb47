"""Example texts for the regular expressions of JSON Schemas.

Of alternatives the first is taken, of character sets the first member, of repetitions the fewest.
Look-around and back references are ignored, so the text may fail to match. The pattern is untrusted
and is never executed: it could take exponential time.
"""

from typing import Final

_UNBOUNDED = 1 << 16
_MAX_LENGTH = 1 << 14
_MAX_DEPTH = 50
_ESCAPES: Final = {
    "d": "0", "D": "a", "w": "a", "W": "-", "s": " ", "S": "a", "b": "", "B": "", "A": "", "Z": "",
    "t": "\t", "n": "\n", "r": "\r", "f": "\f", "v": "\v", "0": "\0",
}  # fmt: skip
_CLASSES: Final = {"d": "0123456789", "w": "abcdefghijklmnopqrstuvwxyz_0123456789", "s": " \t\n"}
_CANDIDATES: Final = "aA0-_ .,:;/!?#+*()[]{}<>=@%&$'\"~zZ9é"


def generate_match(pattern: str, extra: int = 0) -> str:
    """A text that matches; each unbounded repetition occurs `extra` times more than needed.

    Raises ValueError for a pattern that is nested too deeply or asks for too long a text.
    """
    return _PatternReader(pattern, extra).alternatives()


class _PatternReader:
    """Reads a pattern once from left to right and produces the text."""

    def __init__(self, pattern: str, extra: int) -> None:
        self._pattern = pattern
        self._extra = extra
        self._position = 0
        self._depth = 0

    def alternatives(self) -> str:
        first = self._sequence()
        while self._peek() == "|":
            self._position += 1
            self._sequence()
        return first

    def _peek(self) -> str:
        return self._pattern[self._position : self._position + 1]

    def _next(self) -> str:
        char = self._peek()
        self._position += 1
        return char

    def _sequence(self) -> str:
        parts: list[str] = []
        while (char := self._peek()) and char not in "|)":
            parts.append(self._repeat(self._atom()))
        return "".join(parts)

    def _repeat(self, atom: str) -> str:
        fewest, most = self._counts()
        if self._peek() in ("?", "+") and (fewest, most) != (1, 1):
            self._position += 1  # lazy or possessive: the same texts match
        count = min(fewest + self._extra, most)
        if len(atom) * count > _MAX_LENGTH:
            raise ValueError("a pattern asks for too long a text")
        return atom * count

    def _counts(self) -> tuple[int, int]:
        char = self._peek()
        if char in ("*", "+", "?") and char:
            self._position += 1
            return (int(char == "+"), 1 if char == "?" else _UNBOUNDED)
        end = self._pattern.find("}", self._position)
        if char != "{" or end < 0:
            return (1, 1)
        low, comma, high = self._pattern[self._position + 1 : end].partition(",")
        if not low.isdecimal() or not (high.isdecimal() or not high):
            return (1, 1)
        self._position = end + 1
        fewest = int(low[:9])
        return (fewest, int(high[:9]) if high else _UNBOUNDED if comma else fewest)

    def _atom(self) -> str:
        char = self._next()
        if char == "(":
            return self._group()
        if char == "[":
            return self._set()
        if char == "\\":
            return self._escape()
        return {".": "a", "^": "", "$": ""}.get(char, char)

    def _group(self) -> str:
        looks_around = False
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise ValueError("a pattern is nested too deeply")
        if self._peek() == "?":
            self._position += 1
            mark = self._next()
            if mark in "P<" and self._peek() not in "=!":
                self._position = self._pattern.find(">", self._position) + 1 or len(self._pattern)
            elif mark != ":":
                looks_around = True
                self._position += mark == "<"
        inner = self.alternatives()
        self._position += 1
        self._depth -= 1
        return "" if looks_around else inner

    def _escape(self) -> str:
        char = self._next()
        if char in ("x", "u"):
            digits = self._pattern[self._position : self._position + (2 if char == "x" else 4)]
            self._position += len(digits)
            return chr(int(digits, 16)) if _is_hexadecimal(digits) else char + digits
        return "" if char in "123456789" else _ESCAPES.get(char, char)

    def _set(self) -> str:
        negated = self._peek() == "^"
        self._position += negated
        members: list[tuple[str, str]] = []
        while (char := self._next()) and (char != "]" or not members):
            members.extend(self._members(char))
        if not negated:
            return members[0][0] if members else ""
        return next(
            (one for one in _CANDIDATES if not any(low <= one <= high for low, high in members)), ""
        )

    def _members(self, char: str) -> list[tuple[str, str]]:
        """The ranges, ends included, that start with the character just read."""
        if char == "\\":
            named = _CLASSES.get(self._peek())
            if named is not None:
                self._position += 1
                return [(one, one) for one in named]
            char = self._escape()
        following = self._pattern[self._position + 1 : self._position + 2]
        if self._peek() != "-" or following in ("]", ""):
            return [(char, char)]
        self._position += 1
        last = self._next()
        return [(char, self._escape() if last == "\\" else last)]


def _is_hexadecimal(digits: str) -> bool:
    return bool(digits) and all(digit in "0123456789abcdefABCDEF" for digit in digits)

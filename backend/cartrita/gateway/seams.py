"""Seams: where a continued answer joins what was said before, nothing may be said twice."""

_LONGEST = 400
"""How many characters of a repetition are looked for."""

_SHORTEST = 6
"""A shorter repetition may as well be the model's own next words."""


class Seam:
    """Takes from the start of a continuation what only repeats the end of `said`.

    `unsaid` is white space at the end of `said` that the model was not shown: a model that sees
    its answer without it begins with it again.

    Where `said` repeats itself at its end, as `ha ha ha `, the same words again are taken for the
    model's own: nothing tells whether they are, and a word too many does less harm than a lost one.
    """

    def __init__(self, said: str, unsaid: str = "") -> None:
        self._tail = said[-_LONGEST:]
        self._whole = len(said) <= _LONGEST
        self._unsaid = unsaid
        self._held = ""
        self._open = True

    def feed(self, text: str) -> str:
        """The text that is new; what may yet turn out to be a repetition is held back."""
        if not self._open:
            return text
        self._held += text
        if self._unsaid.startswith(self._held) or self._may_grow():
            return ""
        return self.end()

    def end(self) -> str:
        """What was held back and is new."""
        self._open = False
        held, self._held = self._held, ""
        repeated = self._repeated(held)
        if repeated:
            return held[repeated:]
        return held.removeprefix(_common_prefix(self._unsaid, held))

    def _may_grow(self) -> bool:
        """Whether all of what is held is in the tail, so that more of it might follow."""
        held = self._held
        if len(held) >= len(self._tail):
            return False
        start = self._tail.find(held)
        return start >= 0 and start + len(held) < len(self._tail)

    def _repeated(self, held: str) -> int:
        """The length of the longest repetition at the start of `held`."""
        for length in range(min(len(held), len(self._tail)), 0, -1):
            if length < _SHORTEST and not (self._whole and length == len(self._tail) > 2):
                continue
            if self._tail.endswith(held[:length]):
                return 0 if _repeats_itself(self._tail, length) else length
        return 0


def _repeats_itself(text: str, length: int) -> bool:
    """Whether the last characters, so many, are a repetition in themselves or of those before."""
    last = text[-length:]
    if text.find(last, max(len(text) - 2 * length, 0)) < len(text) - length:
        return True
    return any(last.endswith(last[:-period]) for period in range(1, length // 2 + 1))


def _common_prefix(one: str, other: str) -> str:
    length = 0
    while length < min(len(one), len(other)) and one[length] == other[length]:
        length += 1
    return one[:length]

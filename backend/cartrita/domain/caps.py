"""Caps: how much the work for one answer may take."""

from typing import TypeVar

import msgspec


class Caps(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """The most steps, tokens, US dollars and seconds; None where there is no cap.

    Tokens are those of input and output. Money is counted where the prices are known.
    """

    steps: int | None = None
    tokens: int | None = None
    cost: float | None = None
    seconds: float | None = None

    def tightened(self, other: "Caps") -> "Caps":
        """The lower of both, each."""
        return Caps(
            steps=_lower(self.steps, other.steps),
            tokens=_lower(self.tokens, other.tokens),
            cost=_lower(self.cost, other.cost),
            seconds=_lower(self.seconds, other.seconds),
        )

    def reached(self, *, steps: int, tokens: int, cost: float, seconds: float) -> str | None:
        """The name of the first cap that is used up."""
        used = {"steps": steps, "tokens": tokens, "cost": cost, "seconds": seconds}
        for name, amount in used.items():
            most: float | None = getattr(self, name)
            if most is not None and amount >= most:
                return name
        return None


_Number = TypeVar("_Number", int, float)


def _lower(one: _Number | None, other: _Number | None) -> _Number | None:
    if one is None or other is None:
        return other if one is None else one
    return min(one, other)

"""Complaints about a receiver: an operator is told what is wrong and what helps, each seldom."""

import time
from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

_SELDOM_S: Final = 600.0

Outcome: TypeAlias = int | str
"""A status, or a name of what was none."""


class Complaints:
    """What was told lately; `fixes` say what helps, by outcome, that of 0 in all other cases."""

    def __init__(
        self, fixes: Mapping[Outcome, str], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._fixes = fixes
        self._clock = clock
        self._told: dict[Outcome, float] = {}

    def fix(self, outcome: Outcome) -> str | None:
        """What helps; None where that was told lately."""
        now = self._clock()
        if now - self._told.get(outcome, -_SELDOM_S) < _SELDOM_S:
            return None
        self._told[outcome] = now
        return self._fixes.get(outcome, self._fixes[0])

    def over(self) -> bool:
        """All is well; whether that is news."""
        news = bool(self._told)
        self._told.clear()
        return news

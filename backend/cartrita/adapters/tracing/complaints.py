"""Complaints about a receiver: an operator is told what is wrong and what helps, each seldom."""

import time
from collections.abc import Callable, Mapping
from typing import TypeAlias

from cartrita.kit.seldom import Seldom

Outcome: TypeAlias = int | str
"""A status, or a name of what was none."""


class Complaints:
    """What was told lately; `fixes` say what helps, by outcome, that of 0 in all other cases."""

    def __init__(
        self, fixes: Mapping[Outcome, str], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._fixes = fixes
        self._seldom = Seldom(clock)

    def fix(self, outcome: Outcome) -> str | None:
        """What helps; None where that was told lately."""
        if not self._seldom.untold([outcome]):
            return None
        return self._fixes.get(outcome, self._fixes[0])

    def over(self) -> bool:
        """All is well; whether that is news, and to be told."""
        return self._seldom.over()

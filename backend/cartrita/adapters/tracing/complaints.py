"""Complaints about a receiver: an operator is told what is wrong and what helps, each seldom."""

import time
from collections.abc import Callable, Mapping
from typing import Final, TypeAlias, cast

import structlog

log = structlog.get_logger(__name__)

_SELDOM_S: Final = 600.0

Outcome: TypeAlias = int | str
"""A status, or the name of what was raised."""


class Complaints:
    """What is sent is `what`, to a receiver of this `name`; `fixes` say what helps, by status.

    The fix of 0 is that of everything else.
    """

    def __init__(
        self,
        what: str,
        name: str,
        fixes: Mapping[int, str],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._again, self._not_taken = f"{what}_taken_again", f"{what}_not_taken"
        self._name = name
        self._fixes = fixes
        self._clock = clock
        self._told: dict[Outcome, float] = {}

    def taken(self) -> None:
        """All is well, as may have to be told."""
        if self._told:
            self._told.clear()
            log.info(self._again, receiver=self._name)

    def refused(self, outcome: Outcome, **counts: int) -> None:
        """It was not taken."""
        now = self._clock()
        if now - self._told.get(outcome, -_SELDOM_S) < _SELDOM_S:
            return
        self._told[outcome] = now
        log.warning(
            self._not_taken,
            receiver=self._name,
            outcome=outcome,
            fix=self._fixes.get(cast("int", outcome), self._fixes[0]),
            **counts,
        )

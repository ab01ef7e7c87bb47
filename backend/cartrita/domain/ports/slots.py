"""The port of what counts the calls under limits for all processes."""

from typing import Protocol

from cartrita.domain.limits import LimitKey


class SlotCounter(Protocol):
    """Counts the calls of a credential for all processes, by one clock."""

    async def reserve(
        self, key: LimitKey, *, count: int, interval: float, ahead: float = 0.0
    ) -> float:
        """Reserve so many slots in a row, each `interval` seconds after the one before it.

        The first one follows those that are reserved, and is not before `ahead` seconds from now.
        The seconds from now to the end of the last one. Raises Unavailable.
        """
        ...

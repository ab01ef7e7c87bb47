"""The port of what is cleaned up now and then."""

from typing import Protocol


class Sweep(Protocol):
    """Removes what is kept no longer."""

    async def sweep(self) -> int:
        """Remove what is too old, and what exceeds the bounds; returns the number of entries."""
        ...

"""Port of what runs programs that agents write."""

from typing import Protocol

from cartrita.domain.code import ProgramResult


class ProgramRunner(Protocol):
    """Runs Python programs that may be hostile, each in a sandbox of its own."""

    async def run(self, program: str) -> ProgramResult:
        """Run it to its end, or to its bounds. Raises Unavailable if it cannot be begun."""
        ...

"""Programs that agents write and run: what comes of them, and how well they are shut in."""

from enum import StrEnum

import msgspec


class ProgramEnd(StrEnum):
    """How a program ended: by itself, or because it took more than it may."""

    EXITED = "exited"
    KILLED = "killed"
    TOO_LONG = "too_long"
    TOO_MUCH_OUTPUT = "too_much_output"


class ProgramResult(msgspec.Struct, frozen=True):
    """What a program wrote, both of its outputs in their order, and how it ended.

    `status` is its exit status, 128 and the signal that killed it, or None if it was ended.
    """

    output: str
    end: ProgramEnd
    status: int | None


class Isolation(msgspec.Struct, frozen=True):
    """How programs are shut in. `missing` names what they are not kept from, nothing if all is."""

    available: bool
    missing: tuple[str, ...] = ()
    reason: str = ""

    @property
    def told(self) -> str:
        """It in a few words, for the operator."""
        if not self.available:
            return f"none: {self.reason}"
        return f"partial, without {', '.join(self.missing)}" if self.missing else "full"

"""Public identifiers: a type prefix and a UUID in 32 hexadecimal digits."""

import os
import time
from uuid import UUID


def uuid7() -> UUID:
    """A time-ordered UUID (RFC 9562, version 7) from this machine's clock.

    Run ids are not made here: they use the database's clock, because the log is partitioned by it.
    """
    milliseconds = time.time_ns() // 1_000_000
    value = milliseconds << 80 | int.from_bytes(os.urandom(10), "big")
    value = value & ~(0xF << 76) | 7 << 76
    value = value & ~(0x3 << 62) | 2 << 62
    return UUID(int=value)


def public(prefix: str, value: UUID) -> str:
    """The public form of an id: `run` and a UUID make `run_0192...c3`."""
    return f"{prefix}_{value.hex}"


def parse(prefix: str, text: str) -> UUID | None:
    """The UUID in `run_0192...c3` or in a plain UUID; None for any other text."""
    try:
        return UUID(text.removeprefix(f"{prefix}_"))
    except ValueError:
        return None

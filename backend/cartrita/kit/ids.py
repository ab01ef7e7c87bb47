"""Public identifiers: a type prefix and a UUID in 32 hexadecimal digits."""

import os
import time
from uuid import UUID

_RANDOM_AND_TIME = ~(0xF << 76 | 0x3 << 62)
_VERSION_7 = 7 << 76 | 2 << 62


def uuid7() -> UUID:
    """A time-ordered UUID (RFC 9562, version 7) from this machine's clock.

    Run ids are not made here: they use the database's clock, because the log is partitioned by it.
    """
    return UUID(int=_uuid7())


def fresh(prefix: str) -> str:
    """The public form of a new `uuid7`."""
    return f"{prefix}_{_uuid7():032x}"


def public(prefix: str, value: UUID) -> str:
    """The public form of an id: `run` and a UUID make `run_0192...c3`."""
    return f"{prefix}_{value.hex}"


def parse(prefix: str, text: str) -> UUID | None:
    """The UUID in `run_0192...c3` or in a plain UUID; None for any other text."""
    try:
        return UUID(text.removeprefix(f"{prefix}_"))
    except ValueError:
        return None


def _uuid7() -> int:
    value = time.time_ns() // 1_000_000 << 80 | int.from_bytes(os.urandom(10), "big")
    return value & _RANDOM_AND_TIME | _VERSION_7

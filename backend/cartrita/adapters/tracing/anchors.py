"""Anchors: moments of a clock that does not jump, as times of the day."""

from uuid import UUID

import msgspec

_NS = 1_000_000_000
_NS_OF_MS = 1_000_000


class Anchor(msgspec.Struct, frozen=True):
    """The moment `at` was `wall`, in seconds since 1970; all others are told from there.

    So nothing in a trace has a negative length, also where the wall clock is set meanwhile.
    """

    at: float
    wall: float

    def time(self, at: float) -> int:
        """A moment, in ns since 1970."""
        return int((self.wall + (at - self.at)) * _NS)


def time_of(value: UUID) -> int:
    """When a UUID of version 7 was made, in ns since 1970."""
    return (value.int >> 80) * _NS_OF_MS

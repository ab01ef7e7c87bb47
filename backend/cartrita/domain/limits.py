"""Limits: how many calls may begin in a time."""

from typing import Self

import msgspec

from cartrita.domain.credentials import SERVER


class Limit(msgspec.Struct, frozen=True):
    """At most so many `requests` in so many `seconds`, on average."""

    requests: int
    seconds: float

    @property
    def interval(self) -> float:
        """The seconds from one call to the next at an even pace."""
        return self.seconds / self.requests

    def share(self, sharers: int) -> Self:
        """The part of each of so many equals: its pace is exact, its number is rounded down."""
        requests = max(1, self.requests // sharers)
        return type(self)(requests, self.interval * sharers * requests)


class LimitKey(msgspec.Struct, frozen=True):
    """What a limit is counted for: the calls of one provider by one credential."""

    provider: str
    credential: str = SERVER

"""What counts the calls under limits: for one process, or for several together."""

from collections.abc import Callable
from typing import Protocol

from cartrita.domain.limits import Limit, LimitKey


class Grants(Protocol):
    """The grants of one credential's limit: a call that has one may begin."""

    @property
    def rested(self) -> bool:
        """Whether nothing is held or counted here any more, so that it may be forgotten."""
        ...

    def take(self) -> float | None:
        """Take a grant if there is one now: 0.0.

        Else nothing is taken: there is none for so many seconds, or, if None, that is being found
        out, and `wake` will be called.
        """
        ...

    def give_back(self) -> None:
        """The grant that was taken last is not used."""
        ...

    def pause(self, seconds: float) -> None:
        """The provider wants no calls for a time."""
        ...

    def eta(self, position: int) -> float:
        """The likely seconds until there is one for the call at this position, counted from 1."""
        ...


class GrantStore(Protocol):
    """Counts the calls of all limits."""

    def grants(self, key: LimitKey, limit: Limit | None, wake: Callable[[], None]) -> Grants:
        """Those of one credential; `wake` is called, never from within `take`, when it may ask."""
        ...

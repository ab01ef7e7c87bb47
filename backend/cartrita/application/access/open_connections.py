"""Open connections: the answers that are being sent, by the keys that asked for them."""

from collections.abc import Callable, Collection
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import TypeVar

from cartrita.domain.errors import RateLimited, Unauthenticated, Unavailable
from cartrita.domain.principals import Principal
from cartrita.kit.cuts import CuttableWork, OpenWork, Within

T = TypeVar("T")


class KeyEnded(Unauthenticated):
    """The key of an open connection does not allow it any more."""

    default_code = "key_ended"

    def __init__(self) -> None:
        super().__init__(
            "This API key does not work any more, or may do less than when this began: it was "
            "changed or revoked, or it has expired."
        )


class ServerStops(Unavailable):
    """What has not ended when the server must."""

    default_code = "draining"

    def __init__(self) -> None:
        super().__init__("This server is about to stop; come back.")


class TooManyStreams(RateLimited):
    """A key holds as many connections as it may."""

    default_code = "too_many_streams"

    def __init__(self, most: int) -> None:
        super().__init__(
            f"This API key is receiving {most:,} answers already, which is as many as it may at "
            "once: read them to their end, or close some."
        )


class OpenConnections:
    """Which connections each key holds open, so that they can be counted and cut.

    A key holds `most` at once.
    """

    def __init__(self, most: int = 10_000) -> None:
        self.most = most
        self.held = OpenWork[HeldConnection]()
        self.stopped = False

    def require_room(self, principal: Principal) -> None:
        """Raise TooManyStreams if the key of this principal may not hold one more."""
        if self.room(principal) <= 0:
            raise TooManyStreams(self.most)

    def hold(self, principal: Principal, *, beyond: bool = False) -> "HeldConnection":
        """A context during which the task that enters it is cut when its key ends.

        Then its body is cancelled, and it raises KeyEnded, or ServerStops after `stop`. It raises
        TooManyStreams when it is entered without room, unless it may go `beyond` it.
        """
        return HeldConnection(self, principal, beyond=beyond)

    def holding(
        self, principal: Principal, context: AbstractAsyncContextManager[T]
    ) -> AbstractAsyncContextManager[T]:
        """The same, around another context and while that is entered."""
        return Within(HeldConnection(self, principal), context)

    def count(self, principal: Principal) -> int:
        """How many connections the key of this principal holds."""
        return len(self.held.of(principal.key_id))

    @property
    def open(self) -> int:
        """How many all keys hold together."""
        return sum(1 for _ in self.held)

    def room(self, principal: Principal) -> int:
        """How many more it may hold."""
        return self.most - self.count(principal)

    @property
    def key_ids(self) -> Collection[str]:
        """The keys that hold connections."""
        return self.held.ids

    def cut(self, ended: Callable[[Principal], bool]) -> int:
        """Cut those of principals whose key has ended; how many."""
        found = [connection for connection in self.held if ended(connection.principal)]
        for connection in found:
            connection.cut()
        return len(found)

    def stop(self) -> None:
        """Cut all that are open: the time of this server is over."""
        self.stopped = True
        self.cut(lambda principal: True)


class HeldConnection(CuttableWork):
    """One connection that is held open: see `OpenConnections.hold`."""

    __slots__ = ("_beyond", "_connections", "principal")

    def __init__(
        self, connections: OpenConnections, principal: Principal, *, beyond: bool = False
    ) -> None:
        super().__init__(self._end)
        self._beyond = beyond
        self._connections = connections
        self.principal = principal

    def _end(self) -> Exception:
        return ServerStops() if self._connections.stopped else KeyEnded()

    def __enter__(self) -> None:
        if not self._beyond:
            self._connections.require_room(self.principal)
        super().__enter__()
        self._connections.held.add(self.principal.key_id, self)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._connections.held.remove(self.principal.key_id, self)
        super().__exit__(kind, error, trace)

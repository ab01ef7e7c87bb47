"""Open connections: the answers that are being sent, by the keys that asked for them."""

import asyncio
from collections.abc import Callable, Collection
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Generic, TypeVar

from cartrita.domain.errors import RateLimited, Unauthenticated
from cartrita.domain.principals import Principal

T = TypeVar("T")


class KeyEnded(Unauthenticated):
    """The key of an open connection does not allow it any more."""

    default_code = "key_ended"

    def __init__(self) -> None:
        super().__init__(
            "This API key does not work any more, or may do less than when this began: it was "
            "changed or revoked, or it has expired."
        )


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
        self._held: dict[str, set[HeldConnection]] = {}

    def require_room(self, principal: Principal) -> None:
        """Raise TooManyStreams if the key of this principal may not hold one more."""
        if self.room(principal) <= 0:
            raise TooManyStreams(self.most)

    def hold(self, principal: Principal) -> "HeldConnection":
        """A context during which the task that enters it is cut when its key ends.

        Then its body is cancelled, and it raises KeyEnded. It raises TooManyStreams when it is
        entered without room.
        """
        return HeldConnection(self, self._held, principal)

    def holding(
        self, principal: Principal, context: AbstractAsyncContextManager[T]
    ) -> AbstractAsyncContextManager[T]:
        """The same, around another context and while that is entered."""
        return _Holding(HeldConnection(self, self._held, principal), context)

    def count(self, principal: Principal) -> int:
        """How many connections the key of this principal holds."""
        return len(self._held.get(principal.key_id, ()))

    def room(self, principal: Principal) -> int:
        """How many more it may hold."""
        return self.most - self.count(principal)

    @property
    def key_ids(self) -> Collection[str]:
        """The keys that hold connections."""
        return self._held.keys()

    def cut(self, ended: Callable[[Principal], bool]) -> int:
        """Cut those of principals whose key has ended; how many."""
        found = [
            connection
            for connections in self._held.values()
            for connection in connections
            if ended(connection.principal)
        ]
        for connection in found:
            connection.cut()
        return len(found)


class HeldConnection:
    """One connection that is held open: see `OpenConnections.hold`."""

    __slots__ = ("_all", "_cancelling", "_cut", "_held", "_task", "principal")

    def __init__(
        self,
        connections: OpenConnections,
        held: dict[str, set["HeldConnection"]],
        principal: Principal,
    ) -> None:
        self._all = connections
        self._held = held
        self._cut = False
        self.principal = principal

    def __enter__(self) -> None:
        self._all.require_room(self.principal)
        task = asyncio.current_task()
        assert task is not None
        self._task = task
        self._cancelling = task.cancelling()
        self._held.setdefault(self.principal.key_id, set()).add(self)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        key_id = self.principal.key_id
        connections = self._held[key_id]
        connections.remove(self)
        if not connections:
            del self._held[key_id]
        if (
            self._cut
            and self._task.uncancel() <= self._cancelling
            and (kind is None or issubclass(kind, asyncio.CancelledError))
        ):
            raise KeyEnded from error

    def cut(self) -> None:
        """End it, by cancelling its task once."""
        if not self._cut:
            self._cut = True
            self._task.cancel()


class _Holding(Generic[T]):
    """A context inside of a held connection; a generator's would cost several times as much."""

    __slots__ = ("_context", "_held")

    def __init__(self, held: HeldConnection, context: AbstractAsyncContextManager[T]) -> None:
        self._held = held
        self._context = context

    async def __aenter__(self) -> T:
        self._held.__enter__()
        try:
            return await self._context.__aenter__()
        except BaseException as error:
            self._held.__exit__(type(error), error, error.__traceback__)
            raise

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool | None:
        try:
            swallowed = await self._context.__aexit__(kind, error, trace)
        except BaseException as raised:
            self._held.__exit__(type(raised), raised, raised.__traceback__)
            raise
        self._held.__exit__(None if swallowed else kind, error, trace)
        return swallowed

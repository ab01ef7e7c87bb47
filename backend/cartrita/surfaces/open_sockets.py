"""The open WebSockets of this process: counted by whose they are, closed when it is to stop."""

import asyncio
from collections import Counter
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Final, Self, TypeAlias

from cartrita.domain.errors import RateLimited

_RETRY_S = 1.0
_CLOSING_S: Final = 5.0
"""How long sockets may take to close once they have nothing more to do."""

End: TypeAlias = Callable[[], asyncio.Task[None] | None]
"""Has a socket close: at once, or after what it still has to do, which is returned."""


class OpenSockets:
    """The open sockets. Each owner may hold `most` of them, and each address `most_unknown`."""

    def __init__(self, most: int, most_unknown: int = 1000) -> None:
        self._most = most
        self._most_unknown = most_unknown
        self._unknown: Counter[str] = Counter()
        self._held: set[HeldSocket] = set()
        self._by_owner: Counter[str] = Counter()
        self._open = 0
        self._all_closed = asyncio.Event()
        self._all_closed.set()
        self.draining = False

    def hold(self, end: End) -> "HeldSocket":
        """A context during which a socket is open; `end` is called once if it has to close."""
        return HeldSocket(self, end)

    @contextmanager
    def until_closed(self) -> Generator[None]:
        """A context that lasts until a socket's close frame is sent, for which a drain waits."""
        self._open += 1
        self._all_closed.clear()
        try:
            yield
        finally:
            self._open -= 1
            if not self._open:
                self._all_closed.set()

    def visit(self, address: str) -> "Visit":
        """A context in which a socket from there may be open without its owner being known."""
        return Visit(self._unknown, address, self._most_unknown)

    async def drain(self, seconds: float) -> None:
        """Have every socket close, and those that are opened from now on.

        What they still have to do is cancelled after so long; then they close all the same.
        """
        self.draining = True
        left = {task for held in list(self._held) if (task := held.end()) is not None}
        if left:
            _, overdue = await asyncio.wait(left, timeout=seconds)
            for task in overdue:
                task.cancel()
        with suppress(TimeoutError):
            async with asyncio.timeout(_CLOSING_S):
                await self._all_closed.wait()

    def add(self, held: "HeldSocket") -> None:
        """One more is open."""
        self._held.add(held)
        if self.draining:
            held.end()

    def remove(self, held: "HeldSocket") -> None:
        """One is closed."""
        self._held.discard(held)
        if held.owner_id is not None:
            self._by_owner[held.owner_id] -= 1
            if not self._by_owner[held.owner_id]:
                del self._by_owner[held.owner_id]

    def count(self, owner_id: str) -> None:
        """Count one more socket of an owner. Raises RateLimited beyond the limit."""
        if self._by_owner[owner_id] >= self._most:
            raise RateLimited(
                f"You have {self._most} sockets open already: close one, or use one for several "
                "conversations.",
                code="too_many_sockets",
            )
        self._by_owner[owner_id] += 1


class HeldSocket:
    """One open socket; nobody's until its owner is known."""

    __slots__ = ("_sockets", "end", "owner_id")

    def __init__(self, sockets: OpenSockets, end: End) -> None:
        self._sockets = sockets
        self.end = end
        self.owner_id: str | None = None

    def __enter__(self) -> Self:
        self._sockets.add(self)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._sockets.remove(self)

    def belongs_to(self, owner_id: str) -> None:
        """Say whose it is. Raises RateLimited if that owner has too many."""
        self._sockets.count(owner_id)
        self.owner_id = owner_id


class Visit:
    """The time in which a socket's owner is not known, counted by address from `begin` to `end`."""

    __slots__ = ("_address", "_begun", "_most", "_unknown")

    def __init__(self, unknown: Counter[str], address: str, most: int) -> None:
        self._unknown = unknown
        self._address = address
        self._most = most
        self._begun = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.end()

    def begin(self) -> None:
        """Count it. Raises RateLimited beyond the limit of its address."""
        if self._unknown[self._address] >= self._most:
            raise RateLimited(
                f"{self._most} sockets from your address have not sent a key yet: send it on them.",
                code="too_many_sockets",
                retry_after=_RETRY_S,
            )
        self._unknown[self._address] += 1
        self._begun = True

    def end(self) -> None:
        """Count it no more; again, nothing."""
        if self._begun:
            self._begun = False
            self._unknown[self._address] -= 1
            if not self._unknown[self._address]:
                del self._unknown[self._address]

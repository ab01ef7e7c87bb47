"""Calls that wait for their turn, in the order of each tenant's, and the tenants in turns."""

import asyncio
from collections import deque
from collections.abc import Iterator
from heapq import heapify, heappop, heappush

_MOST_GONE = 64


class WaitingCall:
    """A call that waits until it is granted, or its time is over.

    `number` orders the calls of a tenant. One that is `listening` is told of its place.
    """

    __slots__ = ("_future", "expired", "gone", "granted", "listening", "news", "number", "told")

    def __init__(self, number: int, *, listening: bool) -> None:
        self.number = number
        self.listening = listening
        self.granted = False
        self.expired = False
        self.gone = False
        self.told = 0
        self.news = 0
        self._future: asyncio.Future[None] | None = None

    def __lt__(self, other: "WaitingCall") -> bool:
        return self.number < other.number

    def grant(self) -> None:
        """It may begin."""
        self.granted = True
        self._wake()

    def expire(self) -> None:
        """Its time is over."""
        self.expired = True
        self._wake()

    def tell(self, position: int) -> None:
        """Its place is another one than it was told last."""
        self.told = self.news = position
        self._wake()

    async def next_place(self) -> int:
        """Its place, when that is news; 0 when it waits no longer."""
        if not (self.granted or self.expired or self.news):
            self._future = asyncio.get_running_loop().create_future()
            try:
                await self._future
            finally:
                self._future = None
        news, self.news = self.news, 0
        return 0 if self.granted or self.expired else news

    def _wake(self) -> None:
        if self._future is not None and not self._future.done():
            self._future.set_result(None)


class _TenantLine:
    """The waiting calls of one tenant by their numbers; those that are gone are skipped."""

    __slots__ = ("_heap", "_last", "size")

    def __init__(self) -> None:
        self.size = 0
        self._heap: list[WaitingCall] = []
        self._last = 0

    def push(self, call: WaitingCall) -> None:
        heappush(self._heap, call)
        self._last = max(self._last, call.number)
        self.size += 1

    def pop(self) -> WaitingCall:
        while (call := heappop(self._heap)).gone:
            pass
        self.size -= 1
        return call

    def discard(self, call: WaitingCall) -> None:
        call.gone = True
        self.size -= 1
        if len(self._heap) > 2 * self.size + _MOST_GONE:
            self._heap = [one for one in self._heap if not one.gone]
            heapify(self._heap)

    def before(self, number: int) -> int:
        """How many calls there are before that of this number."""
        if number > self._last:
            return self.size
        return sum(not one.gone and one.number < number for one in self._heap)

    def in_order(self) -> Iterator[WaitingCall]:
        return iter(sorted(one for one in self._heap if not one.gone))


class WaitingCalls:
    """The calls that wait for one credential: each tenant's in order, one tenant after another."""

    def __init__(self) -> None:
        self.size = 0
        self._lines: dict[str, _TenantLine] = {}
        self._turns: deque[str] = deque()

    def add(self, tenant: str, call: WaitingCall) -> None:
        """A call waits; the tenant joins at the end of the turns, if none of it did."""
        line = self._lines.get(tenant)
        if line is None:
            line = self._lines[tenant] = _TenantLine()
            self._turns.append(tenant)
        line.push(call)
        self.size += 1

    def pop(self) -> WaitingCall:
        """The call whose turn it is."""
        tenant = self._turns.popleft()
        line = self._lines[tenant]
        call = line.pop()
        self.size -= 1
        if line.size:
            self._turns.append(tenant)
        else:
            del self._lines[tenant]
        return call

    def discard(self, tenant: str, call: WaitingCall) -> None:
        """A call waits no longer."""
        line = self._lines[tenant]
        line.discard(call)
        self.size -= 1
        if not line.size:
            del self._lines[tenant]
            self._turns.remove(tenant)

    def of(self, tenant: str) -> int:
        """How many calls of this tenant wait."""
        line = self._lines.get(tenant)
        return 0 if line is None else line.size

    def position(self, tenant: str, number: int) -> int:
        """The place that a call of this number would have if it came now, counted from 1."""
        line = self._lines.get(tenant)
        before = 0 if line is None else line.before(number)
        position, rounds = before + 1, before + 1
        for other in self._turns:
            if other == tenant:
                rounds = before
            else:
                position += min(self._lines[other].size, rounds)
        return position

    def in_order(self) -> Iterator[WaitingCall]:
        """All of them, in the order in which they would be granted now."""
        lines = deque(self._lines[tenant].in_order() for tenant in self._turns)
        while lines:
            line = lines.popleft()
            call = next(line, None)
            if call is not None:
                yield call
                lines.append(line)

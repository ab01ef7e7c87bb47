"""Limits that several processes count together, by slots that are reserved ahead of need.

A slot is the moment at which one call may begin, less the time that a full bucket is ahead. It is
reserved in the background, never by a call itself: whoever finds none waits in the queue until it
is there. A counter that cannot be reached costs time only: meanwhile each process keeps to its
share of the limit, which is the limit over their number, evenly.
"""

import time
from collections import deque
from collections.abc import Callable, Coroutine
from functools import partial

import msgspec
import structlog

from cartrita.domain.errors import CartritaError
from cartrita.domain.limits import Limit, LimitKey
from cartrita.domain.ports.slots import SlotCounter
from cartrita.gateway.grants import Grants
from cartrita.gateway.memory_grants import PacedGrants
from cartrita.gateway.pacing import Pace, bucket_ahead
from cartrita.kit.owned_tasks import OwnedTasks
from cartrita.kit.pause import Pause
from cartrita.kit.repeated_failures import RepeatedFailures

log = structlog.get_logger(__name__)


class SharingPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """How processes count together: `sharers` of them, with that many times a limit at once.

    A process has at most `block` slots of a limit that it has not used, and no more than a tenth
    of it. With a block of 1 it reserves one when a call waits for it; with more, ahead of need.
    A counter that failed is asked again after `retry_s`.
    """

    sharers: int = 1
    burst: float = 1.0
    block: int = 1
    retry_s: float = 1.0


class _Slots:
    """Slots in a row that this process has reserved, the first one `at`, all to be used `until`."""

    __slots__ = ("at", "count", "until")

    def __init__(self, at: float, count: int, until: float) -> None:
        self.at = at
        self.count = count
        self.until = until


class CountedGrants:
    """The grants of one credential, as far as this process has reserved them."""

    def __init__(
        self,
        key: LimitKey,
        limit: Limit,
        wake: Callable[[], None],
        counting: "SharedGrants",
    ) -> None:
        policy = counting.policy
        self._key = key
        self._limit = limit
        self._wake = wake
        self._counting = counting
        self._ahead = bucket_ahead(limit, policy.burst)
        self._block = max(1, min(policy.block, limit.requests // 10))
        self._slots: deque[_Slots] = deque()
        self._due = counting.clock()
        self._paused_until = self._due
        self._asking = False
        self._away = Pause(policy.retry_s, counting.clock)
        self._local: Pace | None = None

    @property
    def rested(self) -> bool:
        """See `Grants`."""
        now = self._counting.clock()
        held = self._slots[-1].until if self._slots else now
        return (
            not self._asking
            and max(held, self._due, self._paused_until) <= now
            and (self._local is None or self._local.rested(now))
        )

    def take(self) -> float | None:
        """See `Grants`."""
        now = self._counting.clock()
        if now < self._paused_until:
            return self._paused_until - now
        wait = self._take_slot(now)
        if wait is not None:
            return wait
        self._reserve()
        if self._local is None:
            return None
        wait = self._local.wait(now)
        if not wait:
            self._local.take(now)
        return wait

    def give_back(self) -> None:
        """See `Grants`."""
        if self._local is not None:
            self._local.give_back()
        else:
            now = self._counting.clock()
            self._slots.appendleft(_Slots(now, 1, now + self._limit.seconds))

    def pause(self, seconds: float) -> None:
        """See `Grants`."""
        self._paused_until = max(self._paused_until, self._counting.clock() + seconds)
        self._slots.clear()
        if self._local is not None:
            self._local.pause(self._paused_until)
        self._counting.start(partial(self._store_pause, seconds))

    def eta(self, position: int) -> float:
        """See `Grants`."""
        now = self._counting.clock()
        return max(self._slot_at(now, position) - now, self._paused_until - now, 0.0)

    @property
    def _reserved(self) -> int:
        return sum(slots.count for slots in self._slots)

    def _take_slot(self, now: float) -> float | None:
        """Use the next slot, or tell how far it is; None where there is none."""
        while self._slots and self._slots[0].until < now:
            self._slots.popleft()  # others have begun since then, as if it had been used
        if not self._slots:
            return None
        first = self._slots[0]
        if first.at > now:
            return first.at - now
        first.at += self._limit.interval
        first.count -= 1
        if not first.count:
            self._slots.popleft()
        if self._block > 1 and self._reserved <= self._block // 2:
            self._reserve()
        return 0.0

    def _slot_at(self, now: float, position: int) -> float:
        """The likely moment of a slot, counted from 1."""
        if self._local is not None:
            return now + self._local.eta(now, position)
        for slots in self._slots:
            if position <= slots.count:
                return slots.at + (position - 1) * self._limit.interval
            position -= slots.count
        return max(self._due, now) + (position - 1) * self._limit.interval - self._ahead

    def _reserve(self) -> None:
        if self._asking or not self._away.over:
            return
        self._away.hold_others()
        self._asking = self._counting.start(self._reserve_slots)
        if not self._asking:
            self._fall_back()

    async def _reserve_slots(self) -> None:
        count = max(1, self._block // 2)
        interval = self._limit.interval
        end = await self._counting.reserve(self._key, count, interval, 0.0)
        self._asking = False
        if end is None:
            self._away.begin()
            self._fall_back()
        else:
            self._away.end()
            self._local = None
            now = self._counting.clock()
            self._due = now + end
            at = self._due - count * interval - self._ahead
            until = max(now, self._due - self._ahead) + self._limit.seconds
            self._slots.append(_Slots(at, count, until))
        self._wake()

    async def _store_pause(self, seconds: float) -> None:
        ahead = seconds + self._ahead
        await self._counting.reserve(self._key, 0, self._limit.interval, ahead)

    def _fall_back(self) -> None:
        """Keep to this process's share; what others have begun just now is not known: evenly."""
        if self._local is None:
            policy = self._counting.policy
            self._local = Pace(self._limit.share(policy.sharers), policy.burst)
            self._local.pause(max(self._counting.clock(), self._paused_until))


class SharedGrants:
    """Counts by `counter`, together with other processes; implements `GrantStore`.

    Slots are reserved by tasks of `tasks`. Pauses of providers that have no limit are not shared.
    """

    def __init__(
        self,
        counter: SlotCounter,
        tasks: OwnedTasks,
        policy: SharingPolicy,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._counter = counter
        self._tasks = tasks
        self._away = False
        self._failure_logger = RepeatedFailures("limits_not_counted")
        self.policy = policy
        self.clock = clock

    def grants(self, key: LimitKey, limit: Limit | None, wake: Callable[[], None]) -> Grants:
        """See `GrantStore`."""
        if limit is None:
            return PacedGrants(Pace(None), self.clock)
        return CountedGrants(key, limit, wake, self)

    def start(self, work: Callable[[], Coroutine[object, object, None]]) -> bool:
        """Have a task do this; false where there are none any more, because the server ends."""
        if self._tasks.running:
            self._tasks.start(work())
        return self._tasks.running

    async def reserve(
        self, key: LimitKey, count: int, interval: float, ahead: float
    ) -> float | None:
        """See `SlotCounter`; None where it cannot be reached."""
        try:
            end = await self._counter.reserve(key, count=count, interval=interval, ahead=ahead)
        except CartritaError as error:
            if not self._away:
                log.warning("limits_away", code=error.code)
            self._away = True
            return None
        except Exception as error:
            self._failure_logger.exception("reserve", error=error)
            self._away = True
            return None
        if self._away:
            log.info("limits_back")
            self._failure_logger.forget("reserve")
        self._away = False
        return end

"""Limiting: each call of a provider begins when the limit of its credential lets it."""

import itertools
import time
from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final, Protocol

from cartrita.domain.credentials import SERVER
from cartrita.domain.errors import UpstreamError, UpstreamLimited
from cartrita.domain.limits import Limit, LimitKey
from cartrita.domain.ports.metrics import ProviderCounts
from cartrita.domain.uncounted import UNCOUNTED
from cartrita.gateway.call_queues import CallLater, CallQueue, GrantRequest, QueuePolicy, call_later
from cartrita.gateway.calls import PauseListener
from cartrita.gateway.grants import GrantStore
from cartrita.gateway.memory_grants import MemoryGrants

_LOOKED_AT: Final = 4
"""How many queues are looked at for each new one, so that those without a use end in time."""


class LimitedCall(Protocol):
    """A call that waits for its turn: of which tenant, and who pays for it."""

    @property
    def tenant_id(self) -> str: ...

    def credential_at(self, provider: str) -> str:
        """The id of the credential that pays for it at a provider."""
        ...


class Limiter:
    """The queues of all credentials. Providers that are not in `limits` have none of ours.

    Those, too, are called by nobody while they want a pause, and then in order. Beyond
    `most_queues` those are forgotten that hold nothing: no call waits, and no grant was used that
    still counts.
    """

    def __init__(
        self,
        limits: Mapping[str, Limit] | None = None,
        store: GrantStore | None = None,
        policy: QueuePolicy | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        later: CallLater = call_later,
        most_queues: int = 10_000,
        counts: ProviderCounts = UNCOUNTED,
    ) -> None:
        self._limits = limits or {}
        self._store = store or MemoryGrants(clock=clock)
        self._clock = clock
        self._later = later
        self._most_queues = most_queues
        self._numbers = itertools.count(1)
        self._queues: dict[LimitKey, CallQueue] = {}
        self.policy = policy or QueuePolicy()
        self.counts = counts

    def grants(
        self, call: LimitedCall, latest: float, on_pause: PauseListener | None = None
    ) -> "CallGrants":
        """The grants of one call at its providers, none of which it waits for after `latest`.

        `on_pause` is told of waits that are long enough to be noticed.
        """
        return CallGrants(self, call, next(self._numbers), latest, on_pause)

    def queue(self, provider: str, credential: str = SERVER) -> CallQueue:
        """The queue of the calls of a provider that this credential pays."""
        key = LimitKey(provider, credential)
        queue = self._queues.get(key)
        if queue is None:
            self._make_room()
            open_grants = partial(self._store.grants, key, self._limits.get(provider))
            queue = self._queues[key] = CallQueue(key, open_grants, self.policy, self._later)
        return queue

    def now(self) -> float:
        """The moment of its clock."""
        return self._clock()

    @property
    def queues(self) -> int:
        """How many queues there are."""
        return len(self._queues)

    def waiting(self) -> Mapping[str, int]:
        """How many calls wait for each provider that was called."""
        found = Counter[str]()
        for key, queue in self._queues.items():
            found[key.provider] += queue.waiting
        return found

    def _make_room(self) -> None:
        """Forget some of the oldest queues, as far as they hold nothing; the others come last."""
        if len(self._queues) < self._most_queues:
            return
        for key in list(itertools.islice(self._queues, _LOOKED_AT)):
            queue = self._queues.pop(key)
            if not queue.idle:
                self._queues[key] = queue


class CallGrants:
    """The grants of one call at its providers: a call that is made again keeps its number."""

    __slots__ = ("_call", "_latest", "_limiter", "_number", "_on_pause", "_patience")

    def __init__(
        self,
        limiter: Limiter,
        call: LimitedCall,
        number: int,
        latest: float,
        on_pause: PauseListener | None,
    ) -> None:
        self._limiter = limiter
        self._call = call
        self._number = number
        self._latest = latest
        self._on_pause = on_pause
        self._patience = limiter.policy.patience

    def eta(self, provider: str) -> float:
        """The likely seconds until this call could begin at a provider."""
        return self._queue(provider).eta(self._call.tenant_id, self._number)

    async def take(self, provider: str) -> None:
        """Wait until the call may begin. Raises RateLimited."""
        queue = self._queue(provider)
        if not queue.take():
            await self._wait(provider, queue)

    def give_back(self, provider: str) -> None:
        """The call does not begin at this provider after all."""
        self._queue(provider).give_back()

    def failed(self, provider: str, error: UpstreamError) -> None:
        """A call failed: a provider that wants a pause of all calls gets it.

        A pause that nobody would wait for is none for the queue: callers read of it in the
        provider's own answer.
        """
        if isinstance(error, UpstreamLimited):
            pause = error.retry_after
            if pause and pause <= self._limiter.policy.patience:
                self._queue(provider).pause(pause)

    def _queue(self, provider: str) -> CallQueue:
        return self._limiter.queue(provider, self._call.credential_at(provider))

    async def _wait(self, provider: str, queue: CallQueue) -> None:
        begun = False
        call, began = self._call, self._limiter.now()
        request = GrantRequest(tenant=call.tenant_id, number=self._number, on_pause=self._on_pause)
        try:
            await queue.wait(request, max(min(self._patience, self._latest - began), 0.0))
            begun = True
        finally:
            waited = self._limiter.now() - began
            self._patience -= waited
            self._limiter.counts.waited(provider, waited, begun=begun)

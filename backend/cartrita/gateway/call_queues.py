"""Queues of calls that wait until their provider's limit lets them begin."""

import asyncio
from collections.abc import Callable
from typing import Final, Protocol

import msgspec

from cartrita.domain.errors import RateLimited
from cartrita.domain.limits import LimitKey
from cartrita.gateway.calls import PauseListener
from cartrita.gateway.grants import Grants
from cartrita.gateway.waiting_calls import WaitingCall, WaitingCalls

NOTICED_PAUSE: Final = 0.9
"""The shortest pause, in seconds, that whoever waits for the answer is told of."""

_SHORTEST_TIMER: Final = 0.001


class Timer(Protocol):
    """A callback that is due later, unless it is cancelled."""

    def cancel(self) -> object: ...


CallLater = Callable[[float, Callable[[], None]], Timer]


def call_later(seconds: float, callback: Callable[[], None]) -> Timer:
    """Have the running event loop call back."""
    return asyncio.get_running_loop().call_later(seconds, callback)


class QueuePolicy(msgspec.Struct, frozen=True, kw_only=True):
    """A call waits for `patience` seconds at most, all its providers together.

    At most `waiting` calls of one tenant wait for a credential. Their places are told again when
    they have changed, each `notice` seconds at most.
    """

    patience: float = 30.0
    waiting: int = 1000
    notice: float = 2.0


class GrantRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A call that wants to begin: of which tenant, as which of all calls, and who is told of it."""

    tenant: str
    number: int
    on_pause: PauseListener | None = None


class CallQueue:
    """The queue of one credential: first come, first served for each tenant, tenants in turns.

    `open_grants` is given what is to be called when grants may have come.
    """

    def __init__(
        self,
        key: LimitKey,
        open_grants: Callable[[Callable[[], None]], Grants],
        policy: QueuePolicy,
        later: CallLater = call_later,
    ) -> None:
        self._key = key
        self._grants = open_grants(self._serve)
        self._policy = policy
        self._later = later
        self._waiting = WaitingCalls()
        self._timer: Timer | None = None
        self._notices: Timer | None = None

    @property
    def waiting(self) -> int:
        """How many calls wait."""
        return self._waiting.size

    @property
    def idle(self) -> bool:
        """Whether a new queue in its place would be no different."""
        return not self._waiting.size and self._grants.rested

    def take(self) -> bool:
        """Let a call begin now, if nobody waits and there is a grant."""
        return not self._waiting.size and self._grants.take() == 0

    def give_back(self) -> None:
        """A call that might begin does not."""
        self._grants.give_back()
        self._serve()

    def eta(self, tenant: str, number: int) -> float:
        """The likely seconds until a call that came now could begin."""
        return self._grants.eta(self._waiting.position(tenant, number))

    def pause(self, seconds: float) -> None:
        """The provider wants no calls for a time."""
        self._grants.pause(seconds)
        self._serve()

    async def wait(self, request: GrantRequest, patience: float) -> None:
        """Wait until the call may begin, for so many seconds at most. Raises RateLimited.

        It is refused at once if that would likely take longer. Whoever is cancelled here leaves
        the place to the next one.
        """
        call = self._enter(request, patience)
        expiry = self._later(patience, lambda: self._expire(request, call))
        try:
            while place := await call.next_place():
                if request.on_pause is not None:
                    eta = self._grants.eta(place)
                    await request.on_pause(self._key.provider, eta, place)
        except BaseException:
            self._leave(request, call)
            raise
        finally:
            expiry.cancel()
        if call.expired:
            raise self._refusal(request)

    def _enter(self, request: GrantRequest, patience: float) -> WaitingCall:
        position = self._waiting.position(request.tenant, request.number)
        eta = self._grants.eta(position)
        if eta > patience or self._waiting.of(request.tenant) >= self._policy.waiting:
            raise self._refusal(request)
        call = WaitingCall(request.number, listening=request.on_pause is not None)
        self._waiting.add(request.tenant, call)
        if call.listening:
            if eta >= NOTICED_PAUSE:
                call.tell(position)
            if self._notices is None:
                self._notices = self._later(self._policy.notice, self._tell_places)
        if self._waiting.size == 1:
            self._serve()
        return call

    def _serve(self) -> None:
        """Grant what can be granted, and come back when more can."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._waiting.size:
            wait = self._grants.take()
            if wait is None:
                return
            if wait:
                self._timer = self._later(max(wait, _SHORTEST_TIMER), self._serve)
                return
            self._waiting.pop().grant()

    def _expire(self, request: GrantRequest, call: WaitingCall) -> None:
        if not (call.granted or call.gone):
            self._waiting.discard(request.tenant, call)
            call.expire()

    def _leave(self, request: GrantRequest, call: WaitingCall) -> None:
        if call.granted:
            self._grants.give_back()
            self._serve()
        elif not call.gone:
            self._waiting.discard(request.tenant, call)

    def _tell_places(self) -> None:
        self._notices = None
        listening = False
        for position, call in enumerate(self._waiting.in_order(), 1):
            if call.listening:
                listening = True
                if position != call.told:
                    call.tell(position)
        if listening:
            self._notices = self._later(self._policy.notice, self._tell_places)

    def _refusal(self, request: GrantRequest) -> RateLimited:
        position = self._waiting.position(request.tenant, request.number)
        eta = self._grants.eta(position)
        name = self._key.provider
        return RateLimited(
            f"{name} is called as often as its limit allows, and {position - 1} calls wait before "
            f"this one; try again in {max(1, round(eta))} s.",
            details={"provider": name, "position": position, "eta_seconds": round(eta, 3)},
            retry_after=eta,
        )

"""Health of deployments: which of them should not be called at the moment, and why."""

import time
from collections.abc import Callable, Sequence
from typing import Literal, TypeAlias, TypeVar

import msgspec

from cartrita.domain.credentials import NO_CREDENTIALS, SERVER, CredentialsByProvider
from cartrita.domain.errors import (
    UpstreamAuth,
    UpstreamError,
    UpstreamLimited,
    UpstreamQuota,
    UpstreamRejected,
)
from cartrita.gateway.routes import Deployment

_FORBIDDEN = 403
_MOST_KNOWN = 10_000
_OF_CREDENTIAL = (UpstreamAuth, UpstreamQuota, UpstreamLimited)
"""Errors that tell of the credential of a call, and not of the deployment."""
_Key = TypeVar("_Key")


class HealthPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """When a deployment is left out, and for how long, in seconds.

    So many `failures` in a row eject it for `ejection`, twice that the next time, and so on up to
    `longest_ejection`; then one call tries it. A provider that asks for a pause gets one of at most
    `longest_ejection` too. A provider that refused its credential, or has no
    credit left, is left out for `exhausted`, and so is a deployment that the credential may not
    call (status 403), or that refused so many different `callers` in a row with this status: what
    one of them sends says nothing of those of others.
    """

    failures: int = 5
    ejection: float = 30.0
    longest_ejection: float = 600.0
    exhausted: float = 300.0
    callers: int = 3


State: TypeAlias = Literal["ok", "failing", "ejected", "limited", "exhausted"]


class DeploymentHealth(msgspec.Struct, frozen=True, kw_only=True):
    """The health of a deployment: `seconds` until it is called again, `code` of its last error."""

    provider: str
    model: str
    state: State
    failures: int
    seconds: float
    code: str


class _Record:
    """What is known of a deployment that failed last time."""

    def __init__(self) -> None:
        self.failures = 0
        self.ejections = 0
        self.ejected_until = 0.0
        self.on_trial = False
        self.refused: set[str] = set()
        self.code = ""


class Health:
    """Follows the failures of deployments. Only those that failed last time are remembered."""

    def __init__(
        self, policy: HealthPolicy | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._policy = policy or HealthPolicy()
        self._clock = clock
        self._records: dict[Deployment, _Record] = {}
        self._limited: dict[tuple[Deployment, str], float] = {}
        self._exhausted: dict[tuple[str, str], float] = {}

    def usable(
        self,
        deployments: Sequence[Deployment],
        credentials: CredentialsByProvider = NO_CREDENTIALS,
    ) -> tuple[Deployment, ...]:
        """Those that may be called, in their order; if none may, all, the soonest first.

        What a credential has used up says nothing of a call that another pays.
        """
        if not self._records and not self._exhausted and not self._limited:
            return tuple(deployments)

        def ready_at(deployment: Deployment) -> float:
            paying = credentials.get(deployment.provider)
            return self._ready_at(deployment, SERVER if paying is None else paying.id)

        now = self._clock()
        usable = tuple(one for one in deployments if ready_at(one) <= now)
        return usable or tuple(sorted(deployments, key=ready_at))

    def started(self, deployment: Deployment) -> None:
        """A call begins: one that was ejected is tried by this call alone."""
        record = self._records.get(deployment)
        if record is not None and record.ejections and record.ejected_until <= self._clock():
            record.ejected_until = self._clock() + self._policy.ejection
            record.on_trial = True

    def succeeded(self, deployment: Deployment, credential: str = SERVER) -> None:
        """A call that this credential paid ended well."""
        if self._records:
            self._records.pop(deployment, None)
        if self._limited:
            self._limited.pop((deployment, credential), None)
        if self._exhausted:
            self._exhausted.pop((deployment.provider, credential), None)

    def failed(
        self,
        deployment: Deployment,
        error: UpstreamError,
        caller: str = "",
        credential: str = SERVER,
    ) -> None:
        """A call of a caller failed. A request that was refused says nothing of the deployment.

        What is wrong with the `credential` that pays is remembered of that one.
        """
        if isinstance(error, UpstreamRejected):
            if error.status == _FORBIDDEN and credential == SERVER:
                self._refused(deployment, error, caller)
            return
        if isinstance(error, UpstreamAuth | UpstreamQuota):
            self._exclude(deployment, credential, error)
        if error.retry_after:
            pause = min(error.retry_after, self._policy.longest_ejection)
            self._limit(deployment, credential, pause)
        if credential != SERVER and isinstance(error, _OF_CREDENTIAL):
            return
        record = self._record(deployment)
        record.code = error.code
        if isinstance(error, UpstreamLimited):  # it works, and wants fewer calls
            return
        record.failures += 1
        if record.failures >= self._policy.failures:
            self._eject(record)

    def snapshot(self) -> tuple[DeploymentHealth, ...]:
        """All deployments that failed last time."""
        return tuple(self._describe(*item) for item in self._records.items())

    def exhausted(self, provider: str, credential: str = SERVER) -> bool:
        """Whether a provider refused this credential lately, or it had no credit left."""
        return self._exhausted.get((provider, credential), 0.0) > self._clock()

    def _record(self, deployment: Deployment) -> _Record:
        if len(self._records) >= _MOST_KNOWN and deployment not in self._records:
            del self._records[next(iter(self._records))]
        return self._records.setdefault(deployment, _Record())

    def _refused(self, deployment: Deployment, error: UpstreamError, caller: str) -> None:
        """Leave out a deployment that refuses one caller after the other."""
        record = self._record(deployment)
        record.refused.add(caller)
        if len(record.refused) >= self._policy.callers:
            record.refused.clear()
            record.code = error.code
            self._limit(deployment, SERVER, self._policy.exhausted)

    def _exclude(self, deployment: Deployment, credential: str, error: UpstreamError) -> None:
        if error.status == _FORBIDDEN:  # the credential is good for other models
            self._limit(deployment, credential, self._policy.exhausted)
            return
        until = self._clock() + self._policy.exhausted
        _remember(self._exhausted, (deployment.provider, credential), until)

    def _limit(self, deployment: Deployment, credential: str, seconds: float) -> None:
        _remember(self._limited, (deployment, credential), self._clock() + seconds)

    def _eject(self, record: _Record) -> None:
        now, policy = self._clock(), self._policy
        if record.ejected_until > now and not record.on_trial:
            return  # a call that began before the ejection
        record.on_trial = False
        record.ejections += 1
        record.ejected_until = now + min(
            policy.ejection * record.ejections, policy.longest_ejection
        )

    def _ready_at(self, deployment: Deployment, credential: str = SERVER) -> float:
        exhausted = self._exhausted.get((deployment.provider, credential), 0.0)
        limited = self._limited.get((deployment, credential), 0.0)
        record = self._records.get(deployment)
        return max(exhausted, limited, 0.0 if record is None else record.ejected_until)

    def _describe(self, deployment: Deployment, record: _Record) -> DeploymentHealth:
        now = self._clock()
        return DeploymentHealth(
            provider=deployment.provider,
            model=deployment.model,
            state=self._state(deployment, record, now),
            failures=record.failures,
            seconds=max(self._ready_at(deployment) - now, 0.0),
            code=record.code,
        )

    def _state(self, deployment: Deployment, record: _Record, now: float) -> State:
        if self.exhausted(deployment.provider):
            return "exhausted"
        if record.ejected_until > now:
            return "ejected"
        if self._limited.get((deployment, SERVER), 0.0) > now:
            return "limited"
        return "failing" if record.failures else "ok"


def _remember(times: dict[_Key, float], key: _Key, until: float) -> None:
    """Remember the latest of them, and not more than a process can hold."""
    times.pop(key, None)
    if len(times) >= _MOST_KNOWN:
        del times[next(iter(times))]
    times[key] = until

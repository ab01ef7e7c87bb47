"""Attempts at one answer: which deployment is called next, and when."""

from collections import deque
from collections.abc import Callable, Sequence
from random import Random

import msgspec
import structlog

from cartrita.domain.errors import EndpointMissing, UpstreamError, UpstreamRejected
from cartrita.gateway.routes import Deployment

log = structlog.get_logger(__name__)

_OVERLOADED = 529
_NOT_THERE = (403, 404)
"""Another provider may accept the request, or have what it asks for."""


class RetryPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """The number of attempts and the pauses between them.

    Each deployment of a route is tried once, however few `attempts` are. `first_pause` doubles
    after each round of them, up to `longest_pause`. No attempt begins later than `deadline` after
    the first one. A broken answer is continued at most `continuations` times. Times are in seconds;
    `last_bytes` is how long an upstream may take to close a stream after its end.
    """

    attempts: int = 3
    first_pause: float = 0.5
    longest_pause: float = 8.0
    deadline: float = 120.0
    continuations: int = 3
    last_bytes: float = 1.0


class Attempts:
    """The attempts at one answer, by deployments in the order in which they should be tried.

    None begins after the moment `latest` of the clock.

    The next deployment is tried at once where there is one; when all have failed, they are tried
    again after a pause, each once its Retry-After has passed. If the deadline does not allow that,
    the error is raised at once. Pauses have random jitter, so that callers that failed together do
    not retry together.
    """

    def __init__(
        self,
        deployments: Sequence[Deployment],
        policy: RetryPolicy,
        *,
        latest: float,
        clock: Callable[[], float],
        rng: Random,
    ) -> None:
        self._policy = policy
        self._clock = clock
        self._rng = rng
        self._left = list(deployments)
        self._round = deque(deployments)
        self._rounds = 1
        self._not_before: dict[Deployment, float] = {}
        self._translated: set[Deployment] = set()
        self._count = 0
        self._most = max(policy.attempts, len(deployments))
        self._latest = latest

    @property
    def late(self) -> bool:
        """Whether none may begin any more."""
        return self._clock() > self._latest

    @property
    def following(self) -> Deployment:
        """The first of those to call next."""
        return self._round[0]

    def next(self, wait: Callable[[str], float]) -> Deployment:
        """The deployment to call now: the first one whose provider has the shortest `wait`."""
        if len(self._round) == 1:
            return self._round.popleft()
        chosen = min(self._round, key=lambda one: wait(one.provider))
        self._round.remove(chosen)
        return chosen

    def failed(self, deployment: Deployment, error: UpstreamError) -> float:
        """The pause before the next attempt, in seconds. Raises the error if there is none.

        A deployment that was passed a request for which it has no endpoint is called once more at
        once: then the request is translated.
        """
        if isinstance(error, EndpointMissing) and deployment not in self._translated:
            self._translated.add(deployment)
            self._round.appendleft(deployment)
            return self._at_once(deployment, error)
        self._count += 1
        self._exclude(deployment, error)
        if not self._left or self._count >= self._most:
            raise error
        if error.retry_after:
            self._not_before[deployment] = self._clock() + error.retry_after
        if self._round:
            if error.status == _OVERLOADED:
                self._prefer_other_providers(deployment.provider)
            return self._at_once(deployment, error)
        return self._next_round(deployment, error)

    def _exclude(self, deployment: Deployment, error: UpstreamError) -> None:
        """Leave out a deployment that will not answer. Raises the error if no other would."""
        if isinstance(error, UpstreamRejected) and error.status not in _NOT_THERE:
            raise error  # the request is at fault, and would be everywhere
        if not error.retryable:
            self._left.remove(deployment)

    def _at_once(self, deployment: Deployment, error: UpstreamError) -> float:
        if self.late:
            raise error
        self._log(deployment, error, 0.0)
        return 0.0

    def _next_round(self, deployment: Deployment, error: UpstreamError) -> float:
        now = self._clock()
        longest = min(
            self._policy.first_pause * 2 ** (self._rounds - 1), self._policy.longest_pause
        )
        asked = {one: max(self._not_before.get(one, now) - now, 0.0) for one in self._left}
        pause = max(longest * self._rng.uniform(0.5, 1.0), min(asked.values()))
        if now + pause > self._latest:
            raise error
        self._rounds += 1
        ready = [one for one in self._left if asked[one] <= pause]
        self._round.extend(sorted(ready, key=asked.__getitem__))
        self._log(deployment, error, pause)
        return pause

    def _prefer_other_providers(self, provider: str) -> None:
        self._round = deque(sorted(self._round, key=lambda one: one.provider == provider))

    def _log(self, deployment: Deployment, error: UpstreamError, pause: float) -> None:
        log.info(
            "model_call_retried", deployment=deployment.id, next=self._round[0].id,
            code=error.code, attempt=self._count, pause=round(pause, 3),
        )  # fmt: skip

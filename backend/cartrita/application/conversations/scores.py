"""Scores: feedback on answers, told to whoever keeps the traces of these."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from uuid import UUID

import structlog

from cartrita.domain.errors import CartritaError
from cartrita.domain.feedback import Score, ScoreOutcome
from cartrita.domain.ids import RunId
from cartrita.domain.ports.feedback import ScoreReceiver, UnsentScores
from cartrita.domain.ports.metrics import ScoreCounts
from cartrita.kit import clock
from cartrita.kit.repeated_failures import RepeatedFailures

log = structlog.get_logger(__name__)


class Scores:
    """Sends what was given, beside the requests that give it.

    What is given is stored as unsent until it is sent, so no crash loses it; it may be sent twice,
    and is the same score then. Runs in every worker, each of which takes another one.
    """

    def __init__(
        self,
        unsent: UnsentScores,
        receiver: ScoreReceiver,
        samples: Callable[[UUID], bool],
        counts: ScoreCounts,
        *,
        interval_s: float,
        send_s: float,
        kept_s: float,
        settle_s: float,
    ) -> None:
        """What is not taken is tried again after `interval_s` and more, for `kept_s` seconds.

        Sending takes `send_s` at most: nobody else sends the same for twice as long. What is taken
        back is sent again until that is `settle_s` ago: a receiver may queue what it was sent.
        """
        self._unsent = unsent
        self._receiver = receiver
        self._samples = samples
        self._counts = counts
        self._interval_s = interval_s
        self._again_s = max(interval_s, 2 * send_s)
        self._kept = timedelta(seconds=kept_s)
        self._settle = timedelta(seconds=settle_s)
        self._usual = timedelta(seconds=settle_s + self._again_s)
        self._given = asyncio.Event()
        self._pending = 0
        for outcome in ScoreOutcome:  # told from the beginning, so that the first is an increase
            counts.scored(outcome, 0)
        self._failure_logger = RepeatedFailures("scores_not_sent")

    def wants(self, run_id: RunId | None) -> bool:
        """Whether the answer of this run has a trace, which a score can be of."""
        return run_id is not None and self._samples(run_id)

    @property
    def pending(self) -> int:
        """How many of all processes waited for longer than they do when all is well.

        When this one last looked; what was taken back waits until it has been deleted again.
        """
        return self._pending

    def given(self) -> None:
        """There is something to send."""
        self._given.set()

    async def run(self) -> None:
        """Send what is unsent until cancelled."""
        while True:
            await self._look()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._given.wait(), self._interval_s)
            self._given.clear()

    async def _look(self) -> None:
        try:
            await self._forget()
            await self._count()
            await self._send()
            await self._count()
        except CartritaError as error:
            log.warning("scores_not_sent", code=error.code)
        except Exception as error:
            self._failure_logger.exception("send", error=error)
        else:
            self._failure_logger.forget("send")

    async def _forget(self) -> None:
        if lost := await self._unsent.forget(clock.now() - self._kept):
            self._counts.scored(ScoreOutcome.EXPIRED, lost)
            log.warning("scores_lost", count=lost)

    async def _count(self) -> None:
        self._pending = await self._unsent.count(clock.now() - self._usual)

    async def _send(self) -> None:
        while (score := await self._unsent.claim(self._again_s)) is not None:
            if (outcome := await self._receiver.take(score)) is None:
                return
            if self._unsettled(score):
                await self._unsent.again(score, self._again_s)
            else:
                await self._unsent.sent(score)
                self._counts.scored(outcome)

    def _unsettled(self, score: Score) -> bool:
        """Whether what was sent before it may still arrive after it."""
        return score.score is None and clock.now() - score.given_at < self._settle


class AbandonedScores:
    """What nobody sends any more, as where the keys of Langfuse were removed: a sweep."""

    def __init__(self, unsent: UnsentScores, *, kept_s: float) -> None:
        """They are kept for as long as they would be tried: somebody may send them again."""
        self._unsent = unsent
        self._kept = timedelta(seconds=kept_s)

    async def sweep(self) -> int:
        """See Sweep."""
        return await self._unsent.forget(clock.now() - self._kept)

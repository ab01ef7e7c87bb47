"""Scores: feedback on answers, told to whoever keeps the traces of these."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from uuid import UUID

import structlog

from cartrita.domain.errors import CartritaError
from cartrita.domain.ids import RunId
from cartrita.domain.ports.feedback import ScoreReceiver, UnsentScores
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
        *,
        interval_s: float,
        send_s: float,
        kept_s: float,
    ) -> None:
        """What is not taken is tried again after `interval_s` and more, for `kept_s` seconds.

        Sending takes `send_s` at most: nobody else sends the same for twice as long.
        """
        self._unsent = unsent
        self._receiver = receiver
        self._samples = samples
        self._interval_s = interval_s
        self._again_s = max(interval_s, 2 * send_s)
        self._kept = timedelta(seconds=kept_s)
        self._given = asyncio.Event()
        self._failure_logger = RepeatedFailures("scores_not_sent")

    def wants(self, run_id: RunId | None) -> bool:
        """Whether the answer of this run has a trace, which a score can be of."""
        return run_id is not None and self._samples(run_id)

    def given(self) -> None:
        """There is something to send."""
        self._given.set()

    async def run(self) -> None:
        """Send what is unsent until cancelled."""
        while True:
            await self._send()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._given.wait(), self._interval_s)
            self._given.clear()

    async def _send(self) -> None:
        try:
            if lost := await self._unsent.forget(clock.now() - self._kept):
                log.warning("scores_lost", count=lost)
            while (score := await self._unsent.claim(self._again_s)) is not None:
                if not await self._receiver.take(score):
                    return
                await self._unsent.sent(score)
        except CartritaError as error:
            log.warning("scores_not_sent", code=error.code)
        except Exception as error:
            self._failure_logger.exception("send", error=error)
        else:
            self._failure_logger.forget("send")

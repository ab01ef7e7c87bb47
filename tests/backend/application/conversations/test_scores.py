"""Scores that are behind: told as long as they are, and not where all is well."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from typing import Final

from tests.backend.application.fakes import until

from cartrita.application.conversations.scores import AbandonedScores, Scores
from cartrita.domain.feedback import Score, ScoreOutcome
from cartrita.domain.ids import MessageId, RunId
from cartrita.kit import clock
from cartrita.kit.ids import uuid7

SETTLE_S: Final = 600.0


class Unsent:
    """One score, which is due once."""

    def __init__(self, score: float | None, age: timedelta) -> None:
        self.score = Score(
            message_id=MessageId(uuid7()),
            run_id=RunId(uuid7()),
            score=score,
            comment=None,
            given_at=clock.now() - age,
        )
        self.kept = [self.score]
        self.claimed = False
        self.again_s: float | None = None
        self.counts = 0

    async def claim(self, again_s: float) -> Score | None:
        if self.claimed:
            return None
        self.claimed = True
        return self.score

    async def sent(self, score: Score) -> None:
        self.kept.remove(score)

    async def again(self, score: Score, again_s: float) -> None:
        self.again_s = again_s

    async def forget(self, before: datetime) -> int:
        lost = [one for one in self.kept if one.given_at < before]
        self.kept = [one for one in self.kept if one not in lost]
        return len(lost)

    async def count(self, before: datetime) -> int:
        self.counts += 1
        return sum(one.given_at < before for one in self.kept)


class Slow:
    """Takes a score when it is let."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.let = asyncio.Event()

    async def take(self, score: Score) -> ScoreOutcome | None:
        self.asked.set()
        await self.let.wait()
        return ScoreOutcome.SENT


class Counts:
    def scored(self, outcome: ScoreOutcome, number: int = 1) -> None:
        pass


@asynccontextmanager
async def sending(unsent: Unsent, receiver: Slow) -> AsyncGenerator[Scores]:
    scores = Scores(
        unsent,
        receiver,
        lambda _: True,
        Counts(),
        interval_s=60,
        send_s=1,
        kept_s=1e6,
        settle_s=SETTLE_S,
    )
    task = asyncio.ensure_future(scores.run())
    try:
        await asyncio.wait_for(receiver.asked.wait(), 60)
        yield scores
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_what_waits_is_told_before_it_is_sent_and_no_longer_after() -> None:
    unsent, receiver = Unsent(1, timedelta(days=1)), Slow()
    async with sending(unsent, receiver) as scores:
        assert scores.pending == 1
        receiver.let.set()
        await until(lambda: not unsent.kept and scores.pending == 0)


async def test_what_was_given_or_taken_back_a_moment_ago_is_not_behind() -> None:
    unsent, receiver = Unsent(None, timedelta(seconds=1)), Slow()
    async with sending(unsent, receiver) as scores:
        assert scores.pending == 0
        receiver.let.set()
        await until(lambda: unsent.counts == 2)
        assert unsent.again_s == 60, "it is sent again, and soon"
        assert unsent.kept
        assert scores.pending == 0


async def test_what_nobody_sends_any_more_is_kept_for_as_long_as_it_would_be_tried() -> None:
    unsent = Unsent(None, timedelta(days=1))
    assert await AbandonedScores(unsent, kept_s=2 * 86_400).sweep() == 0
    assert await AbandonedScores(unsent, kept_s=43_200).sweep() == 1
    assert not unsent.kept

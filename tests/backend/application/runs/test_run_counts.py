"""Each run that is executed is counted when it begins, and by the state it is left in."""

import asyncio
from typing import Any

from tests.backend.application.executor_fixture import HALF, NO, REST, ExecutorFixture, Unstorable
from tests.backend.application.fakes import DONE, claim, until

from cartrita.domain.errors import LeaseLost
from cartrita.domain.runs import CancelRequested, RunStatus
from cartrita.domain.uncounted import Uncounted


class Kept(Uncounted):
    """Keeps what was counted."""

    def __init__(self) -> None:
        self.claimed: list[str] = []
        self.left: list[tuple[str, RunStatus]] = []

    def run_claimed(self, surface: str) -> None:
        self.claimed.append(surface)

    def run_left(self, surface: str, status: RunStatus, seconds: float) -> None:
        assert 0 <= seconds < 60
        self.left.append((surface, status))


async def left(*play: Any, **values: Any) -> list[tuple[str, RunStatus]]:
    counts = Kept()
    await ExecutorFixture(*play, counts=counts).ending(claim(surface="a2a", **values))
    assert counts.claimed == ["a2a"]
    return counts.left


async def test_a_run_that_is_answered() -> None:
    assert await left(HALF, REST, DONE) == [("a2a", RunStatus.COMPLETED)]


async def test_a_run_that_fails() -> None:
    assert await left(NO) == [("a2a", RunStatus.FAILED)]


async def test_a_run_that_was_cancelled_before() -> None:
    assert await left(HALF, cancelled=True) == [("a2a", RunStatus.CANCELLED)]


async def test_a_run_that_is_cancelled() -> None:
    counts = Kept()
    fixture = ExecutorFixture(HALF, asyncio.Event(), counts=counts)
    claimed = claim()
    async with fixture.open():
        fixture.queue.put(claimed)
        await fixture.spoken(claimed)
        assert (counts.claimed, counts.left) == (["native"], [])
        fixture.queue.tell(CancelRequested(claimed.run_id))
        await fixture.ended(claimed)
    assert counts.left == [("native", RunStatus.CANCELLED)]


async def test_a_run_whose_ending_cannot_be_stored() -> None:
    counts = Kept()
    fixture = ExecutorFixture(HALF, DONE, counts=counts)
    fixture.queue.end_fails = [Unstorable("It is too long.")]
    await fixture.ending(claim())
    assert counts.left == [("native", RunStatus.FAILED)]


async def test_a_run_that_is_another_servers_goes_on_there() -> None:
    counts = Kept()
    fixture = ExecutorFixture(HALF, DONE, counts=counts)
    fixture.queue.end_fails = [LeaseLost("It is another server's.")]
    async with fixture.open():
        fixture.queue.put(claim())
        await until(lambda: counts.left)
    assert counts.left == [("native", RunStatus.QUEUED)]

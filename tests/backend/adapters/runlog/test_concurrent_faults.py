"""Random callers on two replicas while leases and connections are lost: the invariants hold."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from random import Random
from typing import Any

import msgspec
from tests.backend.adapters.runlog.executions import Execution, read_all
from tests.backend.adapters.runlog.fixtures import Cluster, admission
from tests.backend.adapters.runlog.watchdog import until

from cartrita.adapters.runlog.run_log import RunLog
from cartrita.domain.errors import Conflict, LeaseLost, RateLimited, Unavailable
from cartrita.domain.events import Event, LoggedEvent, TextAppended
from cartrita.domain.fold import fold
from cartrita.domain.ids import ConversationId, RunId
from cartrita.domain.messages import Part
from cartrita.domain.runs import (
    BusyPolicy,
    CancelRequested,
    Idempotency,
    LeaseRevoked,
    RunAvailable,
)

CALLERS, CALLS = 6, 15
EXPECTED_ERRORS = (Conflict, LeaseLost, RateLimited, Unavailable)


class RandomExecutor:
    """Executes the runs of one replica with a random number of words each."""

    def __init__(self, log: RunLog, random: Random) -> None:
        self._log = log
        self._random = random
        self._cancelled: set[RunId] = set()
        self._tasks: dict[RunId, asyncio.Task[None]] = {}

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            async for signal in self._log.queue.signals():
                match signal:
                    case CancelRequested(run_id=run_id):
                        self._cancelled.add(run_id)
                    case RunAvailable():
                        claim = await self._log.queue.claim()
                        if claim is not None:
                            execution = Execution(self._log, claim)
                            self._tasks[claim.run_id] = tasks.create_task(self._execute(execution))
                    case LeaseRevoked():
                        for task in self._tasks.values():
                            task.cancel()

    async def _execute(self, execution: Execution) -> None:
        run_id = execution.run_id
        try:
            for n in range(self._random.randint(0, 6)):
                if run_id in self._cancelled or execution.claim.cancelled:
                    return await execution.cancelled()
                await execution.write(f"word {n} ")
                await asyncio.sleep(self._random.uniform(0, 0.02))
            await execution.complete()
        except LeaseLost:
            pass
        except asyncio.CancelledError:
            if self._tasks[run_id] is asyncio.current_task():
                self._log.writer.forget(run_id)  # it may have been claimed under a newer lease
            raise


@asynccontextmanager
async def executing(log: RunLog, seed: int) -> AsyncGenerator[None]:
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(RandomExecutor(log, Random(seed)).run())
        yield
        task.cancel()


class RandomCallers:
    """Callers that admit, cancel and read runs on any replica, and revoke leases."""

    def __init__(self, logs: list[RunLog], conversations: list[ConversationId]) -> None:
        self._logs = logs
        self._conversations = conversations
        self.runs: list[RunId] = []

    async def call(self, random: Random) -> None:
        for n in range(CALLS):
            try:
                await self._call_once(random.choice(self._logs), random, n)
            except EXPECTED_ERRORS:
                await asyncio.sleep(0.01)

    async def _call_once(self, log: RunLog, random: Random, n: int) -> None:
        number = random.random()
        if number < 0.2 and self.runs:
            await log.cancellation.cancel("ann", random.choice(self.runs))
        elif number < 0.4 and self.runs:
            await self._read(log, random.choice(self.runs), random.randint(0, 1))
        elif number < 0.45:
            log._replica.lose_lease(log._replica.lease)
        else:
            await self._admit(log, random, n)

    async def _read(self, log: RunLog, run_id: RunId, after: int) -> None:
        items = await read_all(log, run_id, after)
        seqs = [item.seq for item in items if isinstance(item, LoggedEvent)]
        assert seqs == list(range(after + 1, after + 1 + len(seqs)))

    async def _admit(self, log: RunLog, random: Random, n: int) -> None:
        key = Idempotency("chat", f"{random.randint(0, 30)}", b"h")
        admitted = await log.admission.admit(
            admission(
                f"question {n}",
                conversation_id=random.choice(self._conversations),
                busy=random.choice(list(BusyPolicy)),
                idempotency=key if random.random() < 0.3 else None,
            )
        )
        self.runs.append(admitted.run_id)


async def test_invariants_hold_after_random_calls_and_faults(cluster: Cluster) -> None:
    async with (
        cluster.replica(0, lease_s=1.2, poll_s=0.05) as one,
        cluster.replica(1, lease_s=1.2, poll_s=0.05) as two,
        executing(one, seed=1),
        executing(two, seed=2),
    ):
        admitted = [await one.admission.admit(admission()) for _ in range(4)]
        callers = RandomCallers([one, two], [item.conversation_id for item in admitted])
        async with asyncio.TaskGroup() as tasks:
            killing = tasks.create_task(kill_sessions(cluster, Random(99)))
            calling = [tasks.create_task(callers.call(Random(seed))) for seed in range(CALLERS)]
            await asyncio.wait(calling)
            killing.cancel()
        await until(lambda: all_ended(cluster))
        for run_id in callers.runs:
            assert await read_all(one, run_id) == await read_all(two, run_id)
    await assert_runs_are_consistent(cluster)
    await assert_conversations_are_consistent(cluster)


async def kill_sessions(cluster: Cluster, random: Random) -> None:
    """Terminate random database sessions of the replicas."""
    while True:
        await asyncio.sleep(random.uniform(0.02, 0.15))
        sessions = await cluster.rows(
            "SELECT pid FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid() ORDER BY pid"
        )
        if sessions:
            pid = random.choice(sessions)["pid"]
            await cluster.value("SELECT pg_terminate_backend($1)", pid)


async def all_ended(cluster: Cluster) -> bool:
    unfinished = "SELECT EXISTS (SELECT 1 FROM runs WHERE ended_at IS NULL)"
    return not await cluster.value(unfinished)


async def assert_runs_are_consistent(cluster: Cluster) -> None:
    """Numbers without a gap, one terminal event at the end, a message equal to the log."""
    for run in await cluster.rows("SELECT * FROM runs"):
        logged = await cluster.events(run["id"])
        assert [seq for seq, _ in logged] == list(range(1, run["last_seq"] + 1))
        terminal = [LoggedEvent(run["id"], seq, event).terminal for seq, event in logged]
        assert terminal == [False] * (len(terminal) - 1) + [True]
        events = [event for _, event in logged]
        assert_no_text_is_repeated(events)
        assert await stored_parts(cluster, run["message_id"]) == fold(events).parts


async def stored_parts(cluster: Cluster, message_id: Any) -> tuple[Part, ...]:
    parts = await cluster.value("SELECT parts FROM messages WHERE id = $1", message_id)
    return () if parts is None else msgspec.json.decode(parts, type=tuple[Part, ...])


def assert_no_text_is_repeated(events: list[Event]) -> None:
    position = 0
    for event in events:
        if isinstance(event, TextAppended):
            assert event.position == position
            position += len(event.text)


async def assert_conversations_are_consistent(cluster: Cluster) -> None:
    """Messages form trees, no message stays queued, and runs of a conversation never overlap."""
    without_parent = (
        "SELECT count(*) FROM messages m WHERE depth > 0 AND NOT EXISTS"
        " (SELECT 1 FROM messages p WHERE p.id = m.parent_id AND p.depth = m.depth - 1)"
    )
    assert await cluster.value(without_parent) == 0
    assert await cluster.value("SELECT count(*) FROM messages WHERE status = 'queued'") == 0
    overlapping = (
        "SELECT count(*) FROM runs a JOIN runs b ON a.conversation_id = b.conversation_id"
        " AND a.id < b.id AND a.started_at < b.ended_at AND b.started_at < a.ended_at"
    )
    assert await cluster.value(overlapping) == 0

"""Kills, freezes and restarts parts of a running server at seeded random moments."""

import asyncio
import random
import signal
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Literal

import asyncpg
from tests.harness import processes
from tests.harness.evidence import AWAY
from tests.harness.server import Server, ServerFailed

Disruption = Literal[
    "parent", "worker", "postgres", "cluster", "both", "everything", "freeze", "restart", "sessions"
]
DISRUPTIONS: Mapping[Disruption, float] = {
    "worker": 4,
    "parent": 3,
    "postgres": 2,
    "cluster": 2,
    "both": 2,
    "everything": 1,
    "freeze": 2,
    "restart": 2,
    "sessions": 2,
}
"""What is done, and how often in relation to the others.

`freeze` stops a worker for longer than its lease, `restart` has Postgres stop in order and come
back, `sessions` has it end every session of the server; the others are SIGKILL.
"""
_END_SESSIONS = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE application_name = 'cartrita' AND pid <> pg_backend_pid()
"""
_FROZEN_LEASES = 3.0
_WATCHDOG_S = 60.0
_PAUSE_S = 0.05


@dataclass(slots=True)
class Disruptor:
    """Disrupts one server. `problems` are sentences: processes left behind or not restarted."""

    server: Server
    rng: random.Random
    counts: Counter[str] = field(default_factory=Counter[str])
    problems: list[str] = field(default_factory=list[str])
    moments: list[tuple[float, Disruption]] = field(default_factory=list[tuple[float, Disruption]])

    async def run(
        self,
        times: int,
        *,
        interval_s: tuple[float, float],
        disruptions: Sequence[Disruption] | None = None,
    ) -> None:
        """Disrupt `times` times, each some random seconds after recovery from the last."""
        for _ in range(times):
            await asyncio.sleep(self.rng.uniform(*interval_s))
            await self.disrupt(self._choose(disruptions))

    async def disrupt(self, disruption: Disruption) -> None:
        """Disrupt once and wait until the server is ready again."""
        self.moments.append((time.monotonic(), disruption))
        match disruption:
            case "freeze":
                await self._freeze()
            case "restart":
                await asyncio.to_thread(self._restart_postgres)
            case "sessions":
                await self._end_sessions()
            case _:
                before = await asyncio.to_thread(lambda: self.server.tree)
                await asyncio.to_thread(self.server.kill, disruption)
                await asyncio.to_thread(self._recover, before)
        self.counts[disruption] += 1

    def _choose(self, disruptions: Sequence[Disruption] | None) -> Disruption:
        chosen = list(disruptions or DISRUPTIONS)
        return self.rng.choices(chosen, weights=[DISRUPTIONS[disruption] for disruption in chosen])[
            0
        ]

    async def _freeze(self) -> None:
        """Stop one worker for longer than its lease: when it wakes, its runs belong to others."""
        workers = (await asyncio.to_thread(lambda: self.server.tree)).workers
        if not workers:
            return
        frozen = [self.rng.choice(workers)]
        self.server.send(frozen, signal.SIGSTOP)
        try:
            await asyncio.sleep(self.server.lease_s * _FROZEN_LEASES)
        finally:
            self.server.send(frozen, signal.SIGCONT)
        await asyncio.to_thread(self._wait_until_up)

    def _restart_postgres(self) -> None:
        """A fast shutdown, as an administrator's restart begins; its parent brings it back."""
        postmaster = self.server.tree.postmaster
        if postmaster is None:
            return
        self.server.send([postmaster], signal.SIGINT)
        deadline = time.monotonic() + _WATCHDOG_S
        while self.server.running and self.server.tree.postmaster in (None, postmaster):
            if time.monotonic() > deadline:
                break
            time.sleep(_PAUSE_S)
        self._wait_until_up()

    async def _end_sessions(self) -> None:
        with suppress(*AWAY):
            connection: Any = await asyncpg.connect(self.server.dsn, timeout=10)
            try:
                await connection.execute(_END_SESSIONS)
            finally:
                await connection.close()
        await asyncio.to_thread(self._wait_until_up)

    def _recover(self, before: processes.Tree) -> None:
        if not self.server.running:
            self._start_again(before)
        self._wait_until_up()

    def _start_again(self, before: processes.Tree) -> None:
        """As an init system does it: at once, and again should it refuse."""
        for _ in range(3):
            self.server.start()
            try:
                self.server.wait_ready()
            except ServerFailed as failure:
                self.problems.append(f"it did not start after a kill: {failure}"[:3000])
                continue
            break
        old = set(before.all) & set(self.server.tree.all)
        if old:
            self.problems.append(f"{sorted(old)} of before the kill still live beside the new ones")

    def _wait_until_up(self) -> None:
        deadline = time.monotonic() + _WATCHDOG_S
        while time.monotonic() < deadline:
            if not self.server.running:
                self.problems.append(f"the parent gave up: {self.server.log_tail(1500)}")
                return self._start_again(processes.Tree(None, (), None, ()))
            whole = len(self.server.tree.workers) >= self.server.workers
            if (whole or self.server.workers == 1) and self.server.ready():
                return None
            time.sleep(_PAUSE_S)
        self.problems.append(f"it is not whole {_WATCHDOG_S} s later: {self.server.log_tail(1500)}")
        return None

"""Checks a long campaign in portions: finished clients are checked and dropped as it goes on."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import msgspec
from tests.harness import evidence
from tests.harness.checker import violations
from tests.harness.evidence import AWAY, Evidence
from tests.harness.fake_provider.launch import FakeProvider
from tests.harness.fake_provider.request_log import Exchange
from tests.harness.observations import Call, Observations, Overdue, Violation
from tests.harness.records import Record
from tests.harness.server import Server

_KEPT_RUNS = 300
_MOST_CALLS = 10_000
_CHUNK = 300
_PATIENCE_S = 30.0
"""For what waits for a killed owner: its end is known after leases, and those after restarts."""
_PAUSE_S = 0.2
_UNOWNED = """
SELECT r.id FROM runs r LEFT JOIN replicas p ON p.id = r.replica_id AND p.epoch = r.replica_epoch
WHERE r.status = 'running' AND (p.id IS NULL OR p.expires_at < clock_timestamp())
"""
_UNFINISHED = "SELECT count(*) FROM runs WHERE status IN ('queued', 'running')"
_ALL = "SELECT id FROM runs ORDER BY conversation_id"


@dataclass(slots=True)
class IncrementalChecker:
    """Collects violations. `answers` is the model's answer to each message."""

    server: Server
    provider: FakeProvider
    answers: Mapping[str, str]
    found: list[Violation] = field(default_factory=list[Violation])
    counts: Counter[str] = field(default_factory=Counter[str])
    _calls: dict[int, Call] = field(default_factory=dict[int, Call])
    _read_from: int = 0
    """The number of the first request that is new, or whose answer had not ended."""
    _kept: Evidence = field(default_factory=Evidence)
    _unowned_since: dict[str, float] = field(default_factory=dict[str, float])

    async def sample(self, quiet_since: float) -> None:
        """Look for runs whose owner is gone; time counts from when the server was whole again."""
        try:
            rows = await _fetch(self.server.dsn, _UNOWNED)
        except AWAY:
            return
        now = time.monotonic()
        unowned = {row["id"].hex for row in rows}
        self._unowned_since = {run: self._unowned_since.get(run, now) for run in unowned}
        overdue = [
            Overdue(run, now - max(since, quiet_since))
            for run, since in self._unowned_since.items()
        ]
        self._take(violations(Observations(evidence=Evidence(), overdue=overdue, settled=False)))

    async def check(self, records: list[Record]) -> None:
        """Check finished clients against the database as it is now, then forget them."""
        for record in records:
            self._count(record)
        if not self.server.running:
            return  # the disruptor reports that
        runs = {record.run for record in records if record.run}
        await asyncio.to_thread(self._read_calls)  # before: a run may begin its next attempt
        read = await self._read(sorted(runs))
        observed = Observations(
            evidence=read,
            records=records,
            calls=list(self._calls.values()),
            answers=self.answers,
            settled=False,
            patience_s=_PATIENCE_S,
        )
        # Clients that are done need no later chance: what is not the end now never will be.
        self._take(await asyncio.to_thread(violations, observed))
        self._keep(read, runs)

    async def finish(self, watchdog_s: float) -> None:
        """Everything has stopped: wait for what is unfinished, then check the whole database."""
        for _ in range(int(watchdog_s / _PAUSE_S)):
            if not await self._unfinished() and not await self._streams_open():
                break
            await asyncio.sleep(_PAUSE_S)
        await asyncio.to_thread(self._read_calls)
        everything = [row["id"].hex for row in await _fetch(self.server.dsn, _ALL)]
        self.counts["runs"] = len(everything)
        for start in range(0, len(everything), _CHUNK):
            read = await evidence.read(self.server.dsn, everything[start : start + _CHUNK])
            observed = Observations(
                evidence=read,
                calls=list(self._calls.values()),
                answers=self.answers,
                streams_open=await self._streams_open(),
                patience_s=_PATIENCE_S,
            )
            self._take(await asyncio.to_thread(violations, observed))
            logged = (event for log in read.logs.values() for event in log)
            self.counts["tool results"] += sum(e.data["type"] == "tool_returned" for e in logged)
        read = await evidence.read(self.server.dsn, list(self._kept.runs))
        self._take(violations(Observations(evidence=read, earlier=self._kept)))

    async def some_ended_runs(self, count: int) -> list[tuple[str, str, int]]:
        """Run, owner and last seq of some runs that have ended."""
        rows = await _fetch(
            self.server.dsn,
            "SELECT id, owner_id, last_seq FROM runs WHERE last_seq > 3"
            f" ORDER BY md5(id::text) LIMIT {count}",
        )
        return [(row["id"].hex, row["owner_id"], row["last_seq"]) for row in rows]

    async def _read(self, runs: list[str]) -> Evidence:
        """The database may be down for a moment: it was just killed."""
        for _ in range(int(60 / _PAUSE_S)):
            try:
                return await evidence.read(self.server.dsn, runs)
            except AWAY:
                await asyncio.sleep(_PAUSE_S)
        self.found.append(Violation("database", "-", "it did not come back"))
        return Evidence()

    async def _streams_open(self) -> int:
        return await asyncio.to_thread(self.provider.open_streams)

    async def _unfinished(self) -> int:
        return (await _fetch(self.server.dsn, _UNFINISHED))[0]["count"]

    def _take(self, found: Iterable[Violation]) -> None:
        known = set(self.found)
        self.found += [violation for violation in found if violation not in known]

    def _keep(self, read: Evidence, runs: set[str]) -> None:
        for run in runs:
            if len(self._kept.runs) < _KEPT_RUNS and run in read.runs and read.runs[run].ended:
                self._kept.runs[run] = read.runs[run]
                self._kept.logs[run] = read.logs[run]

    def _count(self, record: Record) -> None:
        self.counts["clients"] += 1
        self.counts[f"client {record.outcome}"] += 1
        self.counts["reconnects"] += record.reconnects
        self.counts["events seen"] += sum(len(c.frames) for c in record.connections)
        self.counts["cancels"] += len(record.cancels)

    def _read_calls(self) -> None:
        new = self.provider.requests(self._read_from)
        for exchange in new:
            if exchange.path.endswith("/chat/completions"):
                self._calls[exchange.number] = model_call(exchange)
        if new:
            unfinished = (exchange.number for exchange in new if exchange.ended_at is None)
            self._read_from = next(unfinished, new[-1].number + 1)
        if len(self._calls) > _MOST_CALLS:
            ended = [number for number, call in self._calls.items() if call.ended_at is not None]
            # By their number: what is read again because an earlier answer goes on is new here.
            for number in sorted(ended)[: len(ended) - _MOST_CALLS // 2]:
                del self._calls[number]


def model_call(exchange: Exchange) -> Call:
    """A model call as the checker knows it: by the last user message."""
    body: dict[str, Any] = msgspec.json.decode(exchange.body, type=dict[str, Any])
    asked = [m["content"] for m in body.get("messages", []) if m.get("role") == "user"]
    return Call(
        prompt=str(asked[-1]) if asked else "",
        received_at=exchange.received_at,
        first_token_at=exchange.first_token_at,
        ended_at=exchange.ended_at,
        tokens_sent=exchange.tokens_sent,
        outcome=exchange.outcome,
        messages=len(body.get("messages", [])),
    )


async def _fetch(dsn: str, query: str) -> list[Any]:
    connection: Any = await asyncpg.connect(dsn, timeout=10)
    try:
        return await connection.fetch(query)
    finally:
        await connection.close()

"""How many chats a second are let in, how long one waits, and how often each commits."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import asyncpg
import msgspec
from tests.benchmarks import run_logs
from tests.benchmarks.database import PostgresServer
from tests.benchmarks.figures import Figures, middle, milliseconds, ratio, report, table
from tests.benchmarks.options import Options
from tests.benchmarks.run_logs import AT_ONCE, OWNER

from cartrita.adapters.runlog.run_log import RunLogSettings
from cartrita.domain.ids import ConversationId
from cartrita.domain.messages import Text
from cartrita.kit.ids import uuid7

_SLICE = 320
"""Chats admitted before it is another contender's turn; a slice takes about half a second."""
_CONVERSATIONS = """
INSERT INTO conversations (id, owner_id, title, head_message_id)
SELECT id, $3, 'A conversation to measure', head FROM unnest($1::uuid[], $2::uuid[]) AS c (id, head)
"""
_MESSAGES = """
INSERT INTO messages (id, owner_id, conversation_id, parent_id, depth, role, parts)
SELECT id, $4, conversation, parent, $5, $6, $7
FROM unnest($1::uuid[], $2::uuid[], $3::uuid[]) AS m (id, conversation, parent)
"""
Work = Callable[[ConversationId | None], Awaitable[object]]


def measure(options: Options) -> None:
    """Rounds of ours and naive, into new conversations and into ones that are there."""
    rounds: list[dict[str, Figures]] = []
    with PostgresServer.opened() as postgres:
        for _ in range(options.rounds):
            with postgres.database() as endpoint:
                rounds.append(options.run(_round(endpoint.dsn(), options)))
    rows = {name: middle([figures[name] for figures in rounds]) for name in rounds[0]}
    report(table(f"chats admitted, {AT_ONCE} at once", rows))
    for place in ("new", "existing"):
        ours, naive = rows[f"ours, {place}"], rows[f"naive, {place}"]
        report(ratio(f"admissions/s, {place}, ours over naive", ours["per s"], naive["per s"]))
    report("")


async def _round(dsn: str, options: Options) -> dict[str, Figures]:
    slices = max(1, int(options.seconds))
    watcher: Any = await asyncpg.connect(dsn)
    async with run_logs.opened(dsn) as run_log, _naive_pool(dsn, run_logs.tuning()) as pool:

        async def ours(conversation: ConversationId | None) -> None:
            await run_log.admission.admit(run_logs.admission(conversation))

        async def naive(conversation: ConversationId | None) -> None:
            async with pool.acquire() as connection:
                await _naively(connection, conversation)

        tallies = {
            f"{name}, {place}": _Tally(work)
            for name, work in (("ours", ours), ("naive", naive))
            for place in ("new", "existing")
        }
        for number in range(slices + 1):
            for name, tally in tallies.items():
                existing = name.endswith("existing")
                there = await _conversations(watcher, _SLICE) if existing else [None] * _SLICE
                await tally.add(there, watcher)
                if number == 0:  # the pools have opened their connections
                    tally.forget()
    await watcher.close()
    return {name: tally.figures() for name, tally in tallies.items()}


class _Tally:
    """What one contender took, over slices that are taken in turn with the others'."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self.forget()

    def forget(self) -> None:
        self._waits: list[float] = []
        self._seconds = 0.0
        self._commits = 0

    async def add(self, places: Sequence[ConversationId | None], watcher: Any) -> None:
        turns = iter(places)

        async def ask() -> None:
            for place in turns:
                began = time.monotonic()
                await self._work(place)
                self._waits.append(time.monotonic() - began)

        writes, began = await _writes(watcher), time.monotonic()
        async with asyncio.TaskGroup() as tasks:
            for _ in range(AT_ONCE):
                tasks.create_task(ask())
        self._seconds += time.monotonic() - began
        self._commits += await _writes(watcher) - writes - 1

    def figures(self) -> Figures:
        chats = len(self._waits)
        rates = {"per s": chats / self._seconds, "commits each": self._commits / chats}
        return rates | milliseconds("wait", self._waits)


async def _writes(watcher: Any) -> int:
    """How many transactions have written something, this one included."""
    count: int = await watcher.fetchval("SELECT pg_current_xact_id()::text::bigint")
    return count


def _naive_pool(dsn: str, tuning: RunLogSettings) -> Any:
    """As many connections as the product takes."""
    size = tuning.pool_size
    return asyncpg.create_pool(dsn, min_size=size, max_size=size)


async def _naively(connection: Any, conversation: ConversationId | None) -> None:
    """What a chat needs, one statement after another in one transaction.

    Its runs are stored as ended ones, or the reaper would take them for somebody's who died.
    """
    message, run, new = uuid7(), uuid7(), conversation or ConversationId(uuid7())
    parts = msgspec.json.encode((Text("Hello!"),)).decode()
    head, depth = None, 0
    async with connection.transaction():
        if conversation is None:
            await connection.execute(
                "INSERT INTO conversations (id, owner_id, title) VALUES ($1, $2, $3)",
                new,
                OWNER,
                "A conversation to measure",
            )
        else:
            head = await connection.fetchval(
                "SELECT head_message_id FROM conversations WHERE id = $1 FOR UPDATE", new
            )
            depth = 1 + await connection.fetchval("SELECT depth FROM messages WHERE id = $1", head)
        await connection.execute(
            "INSERT INTO messages (id, owner_id, conversation_id, parent_id, depth, role, parts)"
            " VALUES ($1, $2, $3, $4, $5, 'user', $6)",
            message,
            OWNER,
            new,
            head,
            depth,
            parts,
        )
        await connection.execute(
            "INSERT INTO runs (id, owner_id, conversation_id, user_message_id, message_id, surface,"
            " agent, provider, model, input, status, deadline_at) VALUES ($1, $2, $3, $4, $5,"
            " 'native', 'assistant', 'bench', 'bench', '{}', 'completed', now())",
            run,
            OWNER,
            new,
            message,
            uuid7(),
        )
        await connection.execute(
            "UPDATE conversations SET head_message_id = $2, updated_at = now() WHERE id = $1",
            new,
            message,
        )
        await connection.execute(
            "INSERT INTO run_events (run_id, seq, data) VALUES ($1, 1, $2)", run, parts
        )


async def _conversations(connection: Any, count: int) -> list[ConversationId]:
    """Conversations that were answered once, each to be used once."""
    made = [ConversationId(uuid7()) for _ in range(count)]
    asked, answers = [uuid7() for _ in made], [uuid7() for _ in made]
    parts = msgspec.json.encode((Text("Hello!"),)).decode()
    await connection.execute(_CONVERSATIONS, made, answers, OWNER)
    await connection.execute(_MESSAGES, asked, made, [None] * count, OWNER, 0, "user", parts)
    await connection.execute(_MESSAGES, answers, made, asked, OWNER, 1, "assistant", parts)
    return made

"""Whether a long conversation costs more than a short one: to send into, and to read back."""

import http.client
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import asyncpg
import msgspec
from tests.benchmarks import programs
from tests.benchmarks.figures import Figures, milliseconds, ratio, report, table
from tests.benchmarks.options import Options
from tests.harness.fake_provider.launch import fake_provider
from tests.harness.raw_http import HOST
from tests.harness.server import KEY, OWNER, Server

from cartrita.adapters.persistence.database import Database
from cartrita.adapters.persistence.messages import MessageTree
from cartrita.domain.ids import ConversationId, MessageId
from cartrita.kit.ids import public, uuid7
from cartrita.settings.storage import History

_PROVIDER_KEY = "sk-of-the-fake-provider"
_SIZES = (10, 100, 10_000)
_ROUNDS = 60
_WARM_UP = 5
_CONVERSATION = """
INSERT INTO conversations (id, owner_id, title, head_message_id)
VALUES ($1, $2, 'A conversation to measure', $3)
"""
_MESSAGES = """
INSERT INTO messages (id, owner_id, conversation_id, parent_id, depth, role, parts)
SELECT id, $4, $5, parent, depth, CASE depth % 2 WHEN 0 THEN 'user' ELSE 'assistant' END,
       jsonb_build_array(jsonb_build_object('type', 'text', 'text', 'Words of message ' || depth))
FROM unnest($1::uuid[], $2::uuid[], $3::int[]) AS m (id, parent, depth)
"""
Made = tuple[ConversationId, MessageId]


def measure(options: Options) -> None:
    """Sizes in turn, so that whatever else the machine does hits all alike."""
    with (
        fake_provider(key=_PROVIDER_KEY) as provider,
        programs.serving(provider.base_url) as server,
    ):
        rounds = _ROUNDS * max(1, options.rounds // 3)
        _compare("POST /api/chat into", options.run(_sending(server, rounds)))
        _compare("reading its latest messages", options.run(_reading(server, rounds)))


def _compare(what: str, waits: dict[int, list[float]]) -> None:
    rows: dict[str, Figures] = {f"{n:,} messages": milliseconds("wait", waits[n]) for n in _SIZES}
    report(table(what, rows))
    for size in _SIZES[1:]:
        few = median(waits[_SIZES[0]])
        report(ratio(f"{size:,} messages over {_SIZES[0]}, medians", median(waits[size]), few))
    report("")


async def _sending(server: Server, rounds: int) -> dict[int, list[float]]:
    """Each short conversation is used once, since it grows; a long one hardly does."""
    turns = rounds + _WARM_UP
    connection: Any = await asyncpg.connect(server.dsn)
    places: dict[int, list[Made]] = {}
    for size in _SIZES:
        copies = 1 if size > 1000 else turns
        places[size] = [await _made(connection, size) for _ in range(copies)]
    await connection.execute("VACUUM ANALYZE messages")
    await connection.close()
    client = http.client.HTTPConnection(HOST, server.port, timeout=30)
    waits: dict[int, list[float]] = {size: [] for size in _SIZES}
    for turn in range(turns):
        for size in _SIZES:
            conversation, _ = places[size][turn % len(places[size])]
            seconds = _timed(lambda into=conversation: _chat(client, into))
            if turn >= _WARM_UP:
                waits[size].append(seconds)
    client.close()
    return waits


async def _reading(server: Server, rounds: int) -> dict[int, list[float]]:
    """As many of the latest messages as a model is given."""
    connection: Any = await asyncpg.connect(server.dsn)
    made = {size: await _made(connection, size) for size in _SIZES}
    await connection.execute("VACUUM ANALYZE messages")
    await connection.close()
    database = Database(server.dsn)
    store, most = MessageTree(database), History().context_messages
    waits: dict[int, list[float]] = {size: [] for size in _SIZES}
    for turn in range(rounds * 3 + _WARM_UP):
        for size in _SIZES:
            began = time.monotonic()
            found = await store.branch(OWNER, made[size][1], most)
            if turn >= _WARM_UP:
                waits[size].append(time.monotonic() - began)
            if len(found) != min(size, most):
                raise RuntimeError(f"{len(found)} messages were read of {size}.")
    await database.close()
    return waits


def _chat(client: http.client.HTTPConnection, into: ConversationId) -> None:
    asked = {"message": "Hi!", "model": "openai/fake", "conversation_id": public("conv", into)}
    headers = {"X-API-Key": KEY, "Content-Type": "application/json"}
    client.request("POST", "/api/chat", msgspec.json.encode(asked), headers)
    answer = client.getresponse()
    body = answer.read()
    if answer.status != 200:
        raise RuntimeError(f"The chat was answered {answer.status}: {body[:200]!r}")


def _timed(work: Callable[[], None]) -> float:
    began = time.monotonic()
    work()
    return time.monotonic() - began


async def _made(connection: Any, size: int) -> Made:
    """A conversation with one branch of so many messages, in order of time."""
    conversation = ConversationId(uuid7())
    identities = [uuid7() for _ in range(size)]
    parents = [None, *identities[:-1]]
    await connection.execute(_CONVERSATION, conversation, OWNER, identities[-1])
    await connection.execute(_MESSAGES, identities, parents, list(range(size)), OWNER, conversation)
    return conversation, MessageId(identities[-1])

"""One journey test's clients, their recordings, the expected answers and the checker."""

import asyncio
import random
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from itertools import count
from typing import Any, TypeVar

import asyncpg
from tests.harness import evidence
from tests.harness.checker import assert_holds
from tests.harness.clients import Client, call
from tests.harness.evidence import AWAY, Evidence, RunRow
from tests.harness.fake_provider.content import expected_text
from tests.harness.fake_provider.launch import FakeProvider
from tests.harness.fake_provider.script import Script, directive
from tests.harness.incremental_checker import model_call
from tests.harness.observations import Call, Observations
from tests.harness.records import Plan, Record
from tests.harness.server import KEY, OWNER, Server
from tests.harness.swarm import MODEL

T = TypeVar("T")
_WATCHDOG_S = 60.0
_PAUSE_S = 0.02
_numbers = count(1)


class Scenario:
    """The state of one test: its clients' records, and the model's answer to each message."""

    def __init__(self, server: Server, provider: FakeProvider) -> None:
        self.server = server
        self.provider = provider
        self.answers: dict[str, str] = {}
        self.records: list[Record] = []

    def message(self, script: Script, *, odd: str = "") -> str:
        """A new, unique message, which the model answers by this script."""
        text = f"Message {next(_numbers)}. {directive(script)}"
        self.answers[text] = expected_text(script, text, self.provider.seed, odd=odd)
        return text

    def plan(self, script: Script | None = None, **changes: Any) -> Plan:
        """A client's plan: by default an EventSource with a client_msg_id."""
        number = next(_numbers)
        chosen: dict[str, Any] = {
            "name": f"client-{number}",
            "owner": OWNER,
            "api_key": KEY,
            "message": changes.get("message") or self.message(script or Script()),
            "model": MODEL,
            "token": f"scenario-{self.server.port}-{number}",
            **changes,
        }
        return Plan(**chosen)

    def client(self, plan: Plan, ports: Sequence[int] = (), **options: Any) -> Client:
        """A client whose record the checker will see."""
        client = Client(plan, ports or [self.server.port], random.Random(plan.name), **options)
        self.records.append(client.record)
        return client

    async def run_clients(self, *plans: Plan) -> list[Record]:
        """Run several clients concurrently; their records when all are done."""
        return list(await asyncio.gather(*(self.client(plan).run() for plan in plans)))

    async def call(
        self, method: str, path: str, body: dict[str, Any] | None = None, **headers: str
    ) -> tuple[int, dict[str, Any]]:
        """One request of the local owner; header names are written with underscores."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await call(self.server.port, method, path, {"X-API-Key": KEY, **named}, body)

    async def chat(self, script: Script | None = None, **fields: Any) -> dict[str, Any]:
        """A whole answer by POST /api/chat."""
        message = fields.pop("message", None) or self.message(script or Script(words=3))
        body = {"message": message, "provider": "openai", "model": "fake", **fields}
        status, response = await self.call("POST", "/api/chat", body)
        assert status == 200, response
        return response

    async def received(self, record: Record, frames: int) -> None:
        """Wait until a client has received so many frames of the log."""
        await until(lambda: record.last_seq >= frames)

    async def ended(self, run: str) -> RunRow:
        """Wait for a run's end in the database, which may be away meanwhile."""

        async def look() -> RunRow | None:
            with suppress(*AWAY):
                row = (await evidence.read(self.server.dsn, [run])).runs.get(run)
                return row if row is not None and row.ended else None
            return None

        return await eventually(look)

    async def calls(self) -> list[Call]:
        """What the provider was asked."""
        exchanges = await asyncio.to_thread(self.provider.requests)
        chats = (e for e in exchanges if e.path.endswith("/chat/completions"))
        return [model_call(exchange) for exchange in chats]

    async def calls_for(self, message: str) -> list[Call]:
        return [c for c in await self.calls() if c.prompt == message]

    async def check(self, **observed: Any) -> Evidence:
        """Wait for all runs and assert that every invariant holds for what the clients recorded."""
        runs = sorted({record.run for record in self.records if record.run})
        for run in runs:
            await self.ended(run)
        calls = await self.calls()
        read = await evidence.read(self.server.dsn, runs)
        recorded: dict[str, Any] = {"calls": calls, "answers": self.answers, **observed}
        assert_holds(Observations(evidence=read, records=self.records, **recorded))
        return read

    async def text_of(self, message_id: str) -> str:
        """A message's text as the database holds it; the id is a public one."""
        rows = await self.fetch(
            "SELECT parts FROM messages WHERE id = $1::text::uuid", message_id.removeprefix("msg_")
        )
        parts = evidence.load(rows[0]["parts"])
        return "".join(part["text"] for part in parts if part["type"] == "text")

    @asynccontextmanager
    async def connection(self) -> AsyncGenerator[Any]:
        """A connection to the server's database."""
        connection: Any = await asyncpg.connect(self.server.dsn)
        try:
            yield connection
        finally:
            await connection.close()

    async def fetch(self, query: str, *values: object) -> list[Any]:
        async with self.connection() as db:
            return await db.fetch(query, *values)


async def until(true: Callable[[], bool], watchdog_s: float = _WATCHDOG_S) -> None:
    """Look until it is true, for as long as the watchdog allows."""

    async def look() -> bool:
        return true()

    await eventually(look, watchdog_s)


async def eventually(look: Callable[[], Awaitable[T | None]], watchdog_s: float = _WATCHDOG_S) -> T:
    """Look until there is something (that is true), for as long as the watchdog allows."""
    async with asyncio.timeout(watchdog_s):
        while True:
            found = await look()
            if found:
                return found
            await asyncio.sleep(_PAUSE_S)

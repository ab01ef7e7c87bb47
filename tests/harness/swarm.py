"""Many concurrent recording clients of various behaviours; the same seed makes the same plans."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.harness.clients import Client, call
from tests.harness.fake_provider.content import expected_text
from tests.harness.fake_provider.script import Script, ToolCall, directive
from tests.harness.records import Plan, Record
from tests.harness.server import KEY, OWNER

MODEL = "openai/fake"
_ENDLESS = Script(words=1200, between_tokens_s=0.1)
_HABITS = (
    ("steady", 6),
    ("leaver", 6),
    ("by_run", 3),
    ("canceller", 2),
    ("slow_reader", 2),
    ("poller", 1),
    ("duplicates", 2),
    ("tool_user", 4),
)
_AGENT = "supervisor"


@dataclass(frozen=True, slots=True)
class Owner:
    """An owner and one of its API keys."""

    name: str = OWNER
    api_key: str = KEY


@dataclass(frozen=True, slots=True, kw_only=True)
class SwarmConfig:
    """What all clients of a swarm have in common."""

    ports: Sequence[int]
    seed: int
    provider_seed: int = 0
    owners: Sequence[Owner] = (Owner(),)
    words: tuple[int, int] = (20, 60)
    between_tokens_s: tuple[float, float] = (0.02, 0.15)
    slow_read_s: tuple[float, float] = (3.0, 10.0)
    watchdog_s: float = 180.0


@dataclass(slots=True)
class Swarm:
    """Makes plans and runs their clients. `answers` is the model's answer to each message."""

    config: SwarmConfig
    conversations: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    answers: dict[str, str] = field(default_factory=dict[str, str])
    planned: int = 0

    async def make_conversations(self, count: int) -> None:
        """Create conversations that several clients will share."""
        for owner in self.config.owners:
            made: list[str] = []
            for number in range(count):
                body = {"title": f"Meeting {number}"}
                _, response = await call(
                    self.config.ports[0],
                    "POST",
                    "/api/conversations",
                    {"X-API-Key": owner.api_key},
                    body,
                )
                made.append(str(response["id"]))
            self.conversations[owner.name] = made

    async def run_clients(self, count: int) -> list[Record]:
        """Run `count` clients concurrently; their records when all are done."""
        plans: list[Plan] = []
        while len(plans) < count:
            plans += self.next_plans()
        return list(await asyncio.gather(*(self.run(plan) for plan in plans)))

    async def keep_running(self, count: int, stop: asyncio.Event) -> AsyncIterator[Record]:
        """Keep `count` clients running, replacing those that are done, until `stop`."""
        tasks: set[asyncio.Task[Record]] = set()
        waiting: list[Plan] = []
        try:
            while tasks or not stop.is_set():
                while len(tasks) < count and not stop.is_set():
                    waiting = waiting or self.next_plans()
                    tasks.add(asyncio.create_task(self.run(waiting.pop())))
                done, tasks = await asyncio.wait(
                    tasks, timeout=0.5, return_when=asyncio.FIRST_COMPLETED
                )
                for task in done:
                    yield task.result()
        finally:
            for task in tasks:
                task.cancel()

    async def run(self, plan: Plan) -> Record:
        """Run one plan's client."""
        rng = random.Random(f"{self.config.seed}:{plan.name}")
        return await Client(plan, self.config.ports, rng, self.config.watchdog_s).run()

    def next_plans(self) -> list[Plan]:
        """The next client's plan, or those of several clients with the same Idempotency-Key."""
        rng = random.Random(f"{self.config.seed}:plan:{self.planned}")
        names, weights = zip(*_HABITS, strict=True)
        habit: str = rng.choices(names, weights)[0]
        owner = rng.choice(self.config.owners)
        number = self.planned
        self.planned += 1
        common: dict[str, Any] = {
            "api_key": owner.api_key,
            "owner": owner.name,
            "message": self._message(habit, rng, number),
            "model": MODEL,
            "conversation": self._conversation(rng, owner),
            "token": f"token-{self.config.seed}-{number}",
        }
        if habit == "duplicates":
            shared: dict[str, Any] = {
                **common,
                "http_method": "post",
                "identity": "idempotency_key",
            }
            return [Plan(name=f"duplicate-{number}-{n}", **shared) for n in range(3)]
        return [Plan(name=f"{habit}-{number}", **common, **self._behaviour(habit, rng))]

    def _message(self, habit: str, rng: random.Random, number: int) -> str:
        script = Script(
            words=rng.randint(*self.config.words),
            between_tokens_s=round(rng.uniform(*self.config.between_tokens_s), 3),
        )
        if habit == "tool_user":
            # A call that a kill repeats meets the next script, so that its text is not foreseen.
            scripts = (*_steps(self.config.seed, number), script)
            return f"Client {self.config.seed}-{number} works. {directive(*scripts)}"
        if habit == "canceller":
            script = _ENDLESS  # longer than any watchdog, so that a lost cancel is noticed
        message = f"Client {self.config.seed}-{number} asks. {directive(script)}"
        self.answers[message] = expected_text(script, message, self.config.provider_seed)
        return message

    def _conversation(self, rng: random.Random, owner: Owner) -> str | None:
        known = self.conversations.get(owner.name)
        return rng.choice(known) if known and rng.random() < 0.3 else None

    def _behaviour(self, habit: str, rng: random.Random) -> dict[str, Any]:
        """The habit's behaviour; how long a slow reader reads slowly is set by the config."""
        behaviour = _behaviour(habit, rng)
        if habit == "slow_reader":
            behaviour["slow_read_s"] = rng.uniform(*self.config.slow_read_s)
        return behaviour


def _steps(seed: int, number: int) -> tuple[Script, ...]:
    """Steps that call tools, one of them two tasks side by side, with a tool of their own."""
    sums = [
        ToolCall(name="calculator", arguments={"expression": f"{number} + {term}"})
        for term in range(3)
    ]
    inner = Script(tool_calls=(sums[0],), before_first_s=0.3)
    tasks = [
        ToolCall(
            name="delegate",
            arguments={
                "agent": agent,
                "task": f"Task {seed}-{number} {agent}. {directive(inner, Script(words=5))}",
            },
        )
        for agent in ("analyst", "task")
    ]
    each = (tuple(sums[:2]), tuple(tasks), (sums[2],))
    return tuple(
        Script(tool_calls=calls, insist=True, before_first_s=0.4, text="So. " if at == 1 else None)
        for at, calls in enumerate(each)
    )


def _behaviour(habit: str, rng: random.Random) -> dict[str, Any]:
    """Plan fields for a habit: how its client reads, disconnects and resumes."""
    method = rng.choice(["get", "post"])
    identity = rng.choice(["client_msg_id", "client_msg_id", "plain"])
    if method == "post" and rng.random() < 0.5:
        identity = "idempotency_key"
    behaviour: dict[str, Any] = {"http_method": method, "identity": identity}
    match habit:
        case "leaver":
            behaviour["leave_after"] = tuple(rng.randint(1, 15) for _ in range(rng.randint(1, 4)))
            behaviour["wait_for_204"] = method == "get" and rng.random() < 0.5
        case "by_run":
            behaviour["resume_by"] = "run"
            behaviour["leave_after"] = (rng.randint(1, 20),)
        case "canceller":
            behaviour["cancel_after"] = rng.randint(1, 12)
        case "tool_user":
            behaviour |= {"agent": _AGENT, "leave_after": (rng.randint(1, 6),)}
        case "poller":
            behaviour |= {"resume_by": "run", "poll": True, "leave_after": (rng.randint(1, 4),)}
        case _:
            pass
    return behaviour

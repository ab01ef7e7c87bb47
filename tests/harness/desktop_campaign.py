"""Kills parts of servers and of their desktops while agents act there and a person decides.

`python -m tests.harness.desktop_campaign --kills 200` does it any number of times. What was done is
seen by the X servers, not told by the product: each text and each click must have been approved
before, and be there once at most.
"""

import argparse
import asyncio
import json
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

import asyncpg
import psutil
from tests.harness.desktop_kills import part
from tests.harness.desktop_witness import ENDED, Pressed, Witness
from tests.harness.disruptor import Disruption, Disruptor
from tests.harness.evidence import AWAY
from tests.harness.fake_provider.launch import FakeProvider, fake_provider
from tests.harness.scenario import Scenario
from tests.harness.server import Server
from tests.journeys.desktops import computer, execute, task

_OF_SERVER: Final[tuple[Disruption, ...]] = ("worker", "parent", "postgres")
_OF_DESKTOP: Final = ("keeper", "host", "Xvfb", "openbox")
_LANES: Final = 3
_ACTIONS: Final = 4
"""Of a task, each of which is decided on."""
_DENIED: Final = 0.2
_PAUSE_S: Final = 0.05
_SETTLE_S: Final = 900.0
_WORD: Final = 3
_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz"
_WAITING: Final = """
SELECT a.id, a.run_id, a.arguments, a.arguments_hash, d.id AS desktop_id
FROM approvals a JOIN runs r ON r.id = a.run_id
LEFT JOIN desktop_sessions d
ON d.conversation_id = r.conversation_id AND d.status IN ('starting', 'ready')
WHERE a.decision IS NULL AND a.expires_at > now()
"""
_UNFINISHED: Final = """
SELECT count(*) FROM runs WHERE status NOT IN ('completed', 'cancelled', 'failed', 'interrupted')
"""


@dataclass
class Plan:
    """What agents shall do: texts and clicks, of which there is one each."""

    chance: random.Random
    count: int = 0
    verdicts: dict[str, bool] = field(default_factory=dict[str, bool])
    """By the action as JSON: whether it was allowed, as soon as it may be done."""

    def action(self) -> dict[str, Any]:
        """One that nobody has been told yet."""
        self.count += 1
        if self.count % 2:
            return {"type": "click", "at": _place(self.count)._asdict(), "button": "middle"}
        return {"type": "type", "text": f"0{_word(self.count)}\n"}

    def verdict(self, arguments: Any) -> bool:
        """The same whenever it is asked for."""
        [action] = arguments["actions"]
        return self.verdicts.setdefault(_name(action), self.chance.random() >= _DENIED)


def _place(number: int) -> Pressed:
    return Pressed(10 + number % 1200, 10 + number // 1200)


def _word(number: int) -> str:
    return "".join(_LETTERS[number // 26**power % 26] for power in reversed(range(_WORD)))


def _name(action: Any) -> str:
    return action["text"].strip() if action["type"] == "type" else str(action["at"])


@dataclass
class Report:
    """What was killed, decided and done, and what of it must not be."""

    seed: int
    killed: Counter[str] = field(default_factory=Counter[str])
    decided: Counter[str] = field(default_factory=Counter[str])
    done: Counter[str] = field(default_factory=Counter[str])
    desktops: int = 0
    problems: list[str] = field(default_factory=list[str])

    def lines(self) -> Iterator[str]:
        yield f"seed {self.seed}"
        yield f"kills: {sum(self.killed.values())} {dict(self.killed)}"
        yield f"desktops: {self.desktops}, decisions: {dict(self.decided)}"
        yield f"actions that were done: {sum(self.done.values())}"
        yield f"problems: {len(self.problems) or 'none'}"
        yield from self.problems


class DesktopCampaign:
    """One server under kills, with people's decisions and witnesses of what is done."""

    def __init__(self, server: Server, provider: FakeProvider, seed: int, kills: int) -> None:
        self.scenario = Scenario(server, provider)
        self.server = server
        self.chance = random.Random(seed)
        self.plan = Plan(random.Random(seed))
        self.kills = kills
        self.report = Report(seed)
        self.witnesses: dict[int, Witness] = {}
        self.over = asyncio.Event()

    async def run(self) -> Report:
        """Kill so often, let all end, and look."""
        async with asyncio.TaskGroup() as tasks:
            people = tasks.create_task(self._decide())
            lanes = [tasks.create_task(self._give_tasks()) for _ in range(_LANES)]
            await self._kill()
            self.over.set()
            await asyncio.wait(lanes)
            await self._settled()
            people.cancel()
        await self._end_desktops()
        self._judge()
        return self.report

    async def _give_tasks(self) -> None:
        while not self.over.is_set():
            acts = [self.plan.action() for _ in range(_ACTIONS)]  # who goes on has seen nothing
            steps = [(computer(one),) for each in acts for one in ({"type": "screenshot"}, each)]
            with suppress(OSError, EOFError, asyncio.IncompleteReadError):
                await execute(self.scenario, task(*steps), approval="risky")
            await self._unless_over(10)

    async def _unless_over(self, looks: int) -> None:
        """Give others time, while there is no end."""
        for _ in range(looks):
            if not self.over.is_set():
                await asyncio.sleep(_PAUSE_S)

    async def _decide(self) -> None:
        """Decide on all that is asked, as soon as somebody sees what comes of it."""
        while True:
            hosts = await asyncio.to_thread(self._hosts)
            for name, host in hosts.items():
                self._see(name, host)
            for row in await self._rows(_WAITING):
                desktop = row["desktop_id"]  # there is none any more where it died
                if desktop is None or hosts.get(desktop.hex) in self.witnesses:
                    await self._decide_on(row)
            await asyncio.sleep(_PAUSE_S)

    def _see(self, name: str, host: int) -> None:
        if host not in self.witnesses:
            with suppress(*ENDED):  # it is not there yet, or no more
                self.witnesses[host] = Witness(host)

    async def _decide_on(self, row: Any) -> None:
        arguments = _json(row["arguments"])
        allowed = self.plan.verdict(arguments)
        body = {
            "decision": "approve" if allowed else "deny",
            "arguments_hash": row["arguments_hash"],
        }
        path = f"/api/runs/run_{row['run_id'].hex}/approvals/appr_{row['id'].hex}"
        with suppress(OSError, EOFError):
            status, _ = await self.scenario.call("POST", path, body)
            if status == 200:
                self.report.decided[body["decision"]] += 1

    async def _kill(self) -> None:
        """Kill something while something is decided and done, again and again."""
        disruptor = Disruptor(self.server, self.chance)
        for _ in range(self.kills):
            victim = self.chance.choice((*_OF_SERVER, *_OF_DESKTOP))
            wanted = sum(self.report.decided.values()) + self.chance.randrange(1, 3)
            deadline = time.monotonic() + _SETTLE_S
            while time.monotonic() < deadline:
                await asyncio.sleep(_PAUSE_S)
                if sum(self.report.decided.values()) >= wanted:
                    break
            await asyncio.sleep(self.chance.uniform(0, 0.4))
            if victim in _OF_DESKTOP:
                await asyncio.to_thread(self._kill_part, victim)
            else:
                await disruptor.disrupt(victim)  # type: ignore[arg-type]
            self.report.killed[victim] += 1
        self.report.problems += disruptor.problems

    def _kill_part(self, name: str) -> None:
        """Kill this part of some desktop; that of none is no kill, so one is waited for."""
        deadline = time.monotonic() + _SETTLE_S
        while not (found := self._parts(name)):
            if time.monotonic() > deadline:
                raise AssertionError(f"there was no {name}")
            time.sleep(_PAUSE_S)
        with suppress(ProcessLookupError):
            os.kill(self.chance.choice(sorted(found)), signal.SIGKILL)

    def _parts(self, name: str) -> dict[int, psutil.Process]:
        found: dict[int, psutil.Process] = {}
        for worker in self.server.tree.workers:
            with suppress(psutil.Error):
                for process in psutil.Process(worker).children(recursive=True):
                    with suppress(psutil.Error):
                        if part(process, worker) == name:
                            found[process.pid] = process
        return found

    def _hosts(self) -> dict[str, int]:
        """The processes of desktops, by the ids of these."""
        found: dict[str, int] = {}
        for number, process in self._parts("host").items():
            with suppress(psutil.Error):
                for order in process.cmdline()[-1:]:  # one that was just killed has none
                    found[_json(order)["folder"].rpartition("/")[2]] = number
        return found

    async def _rows(self, query: str) -> list[Any]:
        """None while the database is away."""
        with suppress(*AWAY, TimeoutError):
            connection: Any = await asyncpg.connect(self.server.dsn, timeout=10)
            try:
                return await connection.fetch(query, timeout=10)
            finally:
                await connection.close(timeout=10)
        return []

    async def _settled(self) -> None:
        """Wait until no run goes on, for which people go on deciding."""
        deadline = time.monotonic() + _SETTLE_S
        while time.monotonic() < deadline:
            rows = await self._rows(_UNFINISHED)
            if rows and not rows[0]["count"]:
                return
            await asyncio.sleep(_PAUSE_S)
        self.report.problems.append("runs do not end")

    async def _end_desktops(self) -> None:
        _, page = await self.scenario.call("GET", "/api/desktops")
        for each in page["items"]:
            await self.scenario.call("DELETE", f"/api/desktops/{each['id']}")
        for witness in self.witnesses.values():
            await asyncio.to_thread(witness.join)

    def _judge(self) -> None:
        """Compare what was done with what was allowed."""
        report = self.report
        report.desktops = len(self.witnesses)
        for witness in self.witnesses.values():
            report.done.update(done(witness.text, witness.clicks))
        report.problems += wrong(report.done, self.plan.verdicts)
        report.problems += self.server.unexpected_errors()


def done(text: str, clicks: Sequence[Pressed]) -> Iterator[str]:
    """The names of the actions of which a desktop has seen this; texts that broke off are none."""
    yield from (str(place._asdict()) for place in clicks)
    typed = (rest[:_WORD] for rest in text.split("0")[1:])
    yield from (f"0{word}" for word in typed if len(word) == _WORD and word.isalpha())


def wrong(counts: Mapping[str, int], verdicts: Mapping[str, bool]) -> Iterator[str]:
    """What must not be of what was done so often, as sentences."""
    for name, times in counts.items():
        if not verdicts.get(name):
            yield f"{name} was done, and not allowed"
        if times > 1:
            yield f"{name} was done {times} times"


def _json(text: str) -> Any:
    return json.loads(text)


def run(*, seed: int, kills: int) -> Report:
    """Start provider and server, run the campaign, stop everything."""
    settings = {
        "CARTRITA_DESKTOP_ENABLED": "1",
        "CARTRITA_DESKTOP_SESSIONS_MAX": "16",
        "CARTRITA_DESKTOP_SESSIONS_PER_OWNER": "16",
        "CARTRITA_DESKTOP_IDLE_S": "30",
        "CARTRITA_DESKTOP_SETTLE_S": "0.2",
        "CARTRITA_DESKTOP_SWEEP_S": "0.2",
        "CARTRITA_DESKTOP_APPS": "terminal=xterm",
    }
    with (
        fake_provider(seed=seed, key="sk-of-the-fake-provider") as provider,
        Server(provider_url=provider.base_url, settings=settings) as server,
    ):
        report = asyncio.run(DesktopCampaign(server, provider, seed, kills).run())
        report.problems += [str(each) for each in (server.data_dir / "desktops").iterdir()]
    return report


def main() -> None:
    """Tell what happened, and fail if something did that must not."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    given = parser.parse_args()
    report = run(seed=given.seed, kills=given.kills)
    sys.stdout.write("\n".join(report.lines()) + "\n")
    sys.exit(1 if report.problems else 0)


if __name__ == "__main__":
    main()

"""A campaign of disruptions under load: `python -m tests.harness.campaign --duration 30m --seed 1`.

Prints the seed, what was done, what was seen and every violation; exits 1 where there is one.
Tells its progress on standard error every minute.
"""

import argparse
import asyncio
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.harness.clients import Client
from tests.harness.command import PROGRAM
from tests.harness.disruptor import DISRUPTIONS, Disruption, Disruptor
from tests.harness.fake_provider.launch import FakeProvider, fake_provider
from tests.harness.incremental_checker import IncrementalChecker
from tests.harness.observations import Violation
from tests.harness.records import Plan, Record
from tests.harness.server import Server
from tests.harness.swarm import MODEL, Owner, Swarm, SwarmConfig

_CHECK_EVERY_S = 10.0
_SAMPLE_EVERY_S = 1.0
_TELL_EVERY_S = 60.0
_SETTLE_S = 90.0
_RESUMED_RUNS = 12
_UNITS = {"s": 1, "m": 60, "h": 3600}


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    """`kills` ends it after so many disruptions, else `duration_s` does."""

    seed: int
    streams: int = 200
    workers: int = 2
    duration_s: float = 60.0
    kills: int | None = None
    interval_s: tuple[float, float] = (2.0, 10.0)
    disruptions: tuple[Disruption, ...] | None = None
    conversations: int = 12
    words: tuple[int, int] = (20, 60)
    between_tokens_s: tuple[float, float] = (0.02, 0.15)
    slow_read_s: tuple[float, float] = (3.0, 10.0)


@dataclass(frozen=True, slots=True)
class Report:
    """What a campaign did and found."""

    seed: int
    seconds: float
    disruptions: Counter[str]
    counts: Counter[str]
    problems: list[str] = field(default_factory=list[str])
    violations: list[Violation] = field(default_factory=list[Violation])

    @property
    def sound(self) -> bool:
        return not self.violations and not self.problems

    def lines(self) -> Iterator[str]:
        yield f"seed {self.seed}, {self.seconds:.0f} s"
        yield f"disruptions: {sum(self.disruptions.values())} {dict(self.disruptions)}"
        yield f"seen: {dict(sorted(self.counts.items()))}"
        yield f"violations: {dict(Counter(v.invariant for v in self.violations)) or 'none'}"
        yield from (f"  {violation}" for violation in self.violations[:50])
        yield from (f"  problem: {problem}" for problem in self.problems)


def run(campaign: Campaign) -> Report:
    """Start provider and server, run the campaign, stop everything."""
    with fake_provider(seed=campaign.seed, key="sk-of-the-fake-provider") as provider:
        settings = {"CARTRITA_RUN_LOG_FOLD_AFTER_S": "20"}
        server = Server(provider_url=provider.base_url, workers=campaign.workers, settings=settings)
        with server:
            return asyncio.run(_run(campaign, server, provider))


async def _run(campaign: Campaign, server: Server, provider: FakeProvider) -> Report:
    began = time.monotonic()
    owners = (Owner(), await asyncio.to_thread(second_owner, server))
    config = SwarmConfig(
        ports=(server.port,),
        seed=campaign.seed,
        provider_seed=campaign.seed,
        owners=owners,
        words=campaign.words,
        between_tokens_s=campaign.between_tokens_s,
        slow_read_s=campaign.slow_read_s,
    )
    swarm = Swarm(config)
    await swarm.make_conversations(campaign.conversations)
    checker = IncrementalChecker(server, provider, swarm.answers)
    disruptor = Disruptor(server, random.Random(campaign.seed))
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        sampling = tasks.create_task(_sample(checker, disruptor))
        telling = tasks.create_task(_tell_progress(checker, disruptor, began))
        clients = tasks.create_task(_clients(campaign, swarm, checker, stop))
        await _kill(campaign, disruptor, began)
        stop.set()
        await clients
        sampling.cancel()
        telling.cancel()
    if server.running:
        await checker.check(await _resumed(checker, owners, config))
        await checker.finish(_SETTLE_S)
    return Report(
        campaign.seed,
        time.monotonic() - began,
        disruptor.counts,
        checker.counts,
        disruptor.problems + server.unexpected_errors(),
        checker.found,
    )


async def _kill(campaign: Campaign, disruptor: Disruptor, began: float) -> None:
    await asyncio.sleep(campaign.interval_s[1])  # let the clients connect
    done = 0
    while not _over(campaign, done, began) and disruptor.server.running:
        await disruptor.run(1, interval_s=campaign.interval_s, disruptions=campaign.disruptions)
        done += 1


def _over(campaign: Campaign, done: int, began: float) -> bool:
    if campaign.kills is not None:
        return done >= campaign.kills
    return time.monotonic() - began >= campaign.duration_s


async def _clients(
    campaign: Campaign, swarm: Swarm, checker: IncrementalChecker, stop: asyncio.Event
) -> None:
    done: list[Record] = []
    judged = time.monotonic()
    async for record in swarm.keep_running(campaign.streams, stop):
        done.append(record)
        if time.monotonic() - judged > _CHECK_EVERY_S:
            await checker.check(done)
            done, judged = [], time.monotonic()
    await checker.check(done)


async def _sample(checker: IncrementalChecker, disruptor: Disruptor) -> None:
    while True:
        await asyncio.sleep(_SAMPLE_EVERY_S)
        quiet_since = disruptor.moments[-1][0] if disruptor.moments else time.monotonic()
        await checker.sample(quiet_since)


async def _tell_progress(checker: IncrementalChecker, disruptor: Disruptor, began: float) -> None:
    while True:
        await asyncio.sleep(_TELL_EVERY_S)
        sys.stderr.write(
            f"{time.monotonic() - began:.0f} s: {sum(disruptor.counts.values())} disruptions, "
            f"{dict(sorted(checker.counts.items()))}, {len(checker.found)} violations\n"
        )


async def _resumed(
    checker: IncrementalChecker, owners: tuple[Owner, ...], config: SwarmConfig
) -> list[Record]:
    """Readers of some ended runs from every seq on, which must all come to the same end (I10)."""
    keys = {owner.name: owner.api_key for owner in owners}
    plans = [
        Plan(
            name=f"resumed-{run}-{after}",
            api_key=keys[owner],
            owner=owner,
            message="",
            model=MODEL,
            follow=run,
            after=after,
        )
        for run, owner, last in await checker.some_ended_runs(_RESUMED_RUNS)
        for after in range(last)
    ]
    records: list[Record] = []
    for start in range(0, len(plans), 50):
        part = plans[start : start + 50]
        clients = [Client(plan, config.ports, random.Random(plan.name)) for plan in part]
        records += await asyncio.gather(*(client.run() for client in clients))
    return records


def second_owner(server: Server) -> Owner:
    """Another owner with an API key, created by the command line."""
    owner = "stranger"
    command = ["keys", "create", "key", "--owner", owner]
    done = subprocess.run(
        [PROGRAM, *command],
        env=server.environment,
        cwd=server.root,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    key = next((word for word in done.stdout.split() if word.startswith("ck_")), "")
    if not key:
        raise AssertionError(f"`cartrita keys create` printed no key: {done.stdout}{done.stderr}")
    return Owner(owner, key)


def _seconds(text: str) -> float:
    return float(text[:-1]) * _UNITS[text[-1]] if text[-1] in _UNITS else float(text)


def main() -> int:
    parser = argparse.ArgumentParser(prog="campaign", description=__doc__)
    parser.add_argument("--duration", type=_seconds, default=60.0, help="as 90s, 30m, 2h")
    parser.add_argument("--kills", type=int, help="so many disruptions instead of a duration")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--streams", type=int, default=200)
    parser.add_argument(
        "--disruptions", nargs="+", choices=list(DISRUPTIONS), help="all of them without it"
    )
    parser.add_argument("--interval", type=float, nargs=2, default=(2.0, 10.0), metavar="S")
    options = parser.parse_args()
    report = run(
        Campaign(
            seed=options.seed,
            streams=options.streams,
            workers=options.workers,
            duration_s=options.duration,
            kills=options.kills,
            interval_s=tuple(options.interval),
            disruptions=tuple(options.disruptions) if options.disruptions else None,
        )
    )
    sys.stdout.write("\n".join(report.lines()) + "\n")
    return 0 if report.sound else 1


if __name__ == "__main__":
    sys.exit(main())

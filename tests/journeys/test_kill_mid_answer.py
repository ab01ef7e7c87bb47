"""SIGKILL in the middle of an answer: the run ends interrupted with its text, or is resumed."""

import asyncio
import random

import pytest
from tests.harness.disruptor import Disruption, Disruptor
from tests.harness.fake_provider.script import Script
from tests.harness.scenario import Scenario

SLOW = Script(words=60, between_tokens_s=0.05)


@pytest.mark.parametrize("disruption", ["worker", "parent", "everything"])
async def test_received_text_is_kept(killable: Scenario, disruption: Disruption) -> None:
    scenario = killable
    client = scenario.client(scenario.plan(SLOW, wait_for_204=True))
    disruptor = Disruptor(scenario.server, random.Random(1))
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(client.run())
        await scenario.received(client.record, 5)
        await disruptor.disrupt(disruption)
    assert disruptor.problems == []
    read = await scenario.check()
    run = read.runs[client.record.run]
    kept = "".join(part["text"] for part in read.messages[run.message].parts)
    assert run.status == "interrupted"
    assert kept == client.record.text() != ""

    status, response = await scenario.call("POST", f"/api/runs/run_{run.id}/continue")
    assert status == 201
    again = scenario.client(
        scenario.plan(message=client.record.plan.message, follow=response["id"][4:])
    )
    await again.run()
    assert again.record.text().startswith(kept)
    assert [frame.event for frame in again.record.frames()][-1] == "done"
    status, response = await scenario.call("GET", f"/api/runs/{response['id']}")
    assert (status, response["status"]) == (200, "completed")

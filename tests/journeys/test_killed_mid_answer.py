"""Kill -9 in the middle of an answer: it ends interrupted with what was seen, or it is finished."""

import asyncio
import random

import pytest
from tests.harness.fake_provider.script import Script
from tests.harness.killer import Deed, Killer
from tests.harness.story import Story

SLOW = Script(words=60, between_tokens_s=0.05)


@pytest.mark.parametrize("deed", ["worker", "parent", "everything"])
async def test_nothing_that_was_seen_is_lost(killable: Story, deed: Deed) -> None:
    story = killable
    client = story.client(story.plan(SLOW, wait_for_204=True))
    killer = Killer(story.server, random.Random(1))
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(client.run())
        await story.reading(client.record, 5)
        await killer.do(deed)
    assert killer.problems == []
    read = await story.sound()
    run = read.runs[client.record.run]
    kept = "".join(part["text"] for part in read.messages[run.message].parts)
    assert run.status == "interrupted"
    assert kept == client.record.text() != ""

    status, told = await story.call("POST", f"/api/runs/run_{run.id}/continue")
    assert status == 201
    again = story.client(story.plan(message=client.record.plan.message, follow=told["id"][4:]))
    await again.run()
    assert again.record.text().startswith(kept)
    assert [frame.event for frame in again.record.heard()][-1] == "done"
    status, told = await story.call("GET", f"/api/runs/{told['id']}")
    assert (status, told["status"]) == (200, "completed")

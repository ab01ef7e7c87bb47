"""A cancel over another connection ends the run, keeps what was seen and hangs up on the model."""

import asyncio

from tests.harness.clients import cancel
from tests.harness.fake_provider.script import Script
from tests.harness.story import Story, eventually, until

LONG = Script(words=400, between_tokens_s=0.05)


async def test_cancelled_mid_answer(story: Story) -> None:
    plans = [story.plan(LONG, cancel_after=count) for count in (1, 2, 5, 9)]
    records = await story.live(*plans)
    read = await story.sound()
    for record in records:
        run = read.runs[record.run]
        assert run.status == "cancelled"
        last = list(record.heard())[-1].payload
        assert (last["event"], last["data"]["code"]) == ("error", "cancelled")
        assert (
            record.text() == "".join(part["text"] for part in read.messages[run.message].parts)
            if run.message in read.messages
            else record.text() == ""
        )

    async def hung_up() -> bool:
        calls = [call for plan in plans for call in await story.calls_for(plan.message)]
        return all(call.outcome == "disconnected" for call in calls)

    await eventually(hung_up)


async def test_cancelled_before_it_starts(story: Story) -> None:
    _, conversation = await story.call("POST", "/api/conversations", {"title": "Busy"})
    first = story.client(story.plan(LONG, conversation=conversation["id"]))
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(first.run())
        await story.reading(first.record, 2)
        second = story.client(story.plan(LONG, conversation=conversation["id"]))
        tasks.create_task(second.run())
        await until(lambda: bool(second.record.run))
        for client in (second, first):
            plan = client.record.plan
            done = await cancel(story.server.port, plan, client.record.run)
            assert done is not None
            again = await cancel(story.server.port, plan, client.record.run)
            assert again is not None
    read = await story.sound()
    assert {run.status for run in read.runs.values()} == {"cancelled"}
    assert await story.calls_for(second.record.plan.message) == []


async def test_what_has_ended_stays_as_it_was(story: Story) -> None:
    told = await story.say()
    status, run = await story.call("POST", f"/api/runs/{told['run_id']}/cancel")
    assert (status, run["status"]) == (200, "completed")
    status, told = await story.call("POST", f"/api/runs/run_{'0' * 32}/cancel")
    assert status == 404

"""One run at a time per conversation: the next message waits, is refused, or interrupts."""

import asyncio

from tests.harness.fake_provider.script import Script
from tests.harness.story import Story, until

SCRIPT = Script(words=12, between_tokens_s=0.03)
LONG = Script(words=400, between_tokens_s=0.05)


async def _conversation(story: Story) -> str:
    _, told = await story.call("POST", "/api/conversations", {"title": "One at a time"})
    return str(told["id"])


async def test_messages_wait_in_the_order_in_which_they_came(story: Story) -> None:
    conversation = await _conversation(story)
    clients = [story.client(story.plan(SCRIPT, conversation=conversation)) for _ in range(4)]
    async with asyncio.TaskGroup() as tasks:
        for client in clients:
            tasks.create_task(client.run())
            await until(lambda client=client: bool(client.record.run))  # one after the other
    read = await story.sound()
    runs = [read.runs[client.record.run] for client in clients]
    assert [run.status for run in runs] == ["completed"] * 4
    assert runs == sorted(runs, key=lambda run: run.started_at or 0)
    events = [frame.event for client in clients[1:] for frame in client.record.heard()]
    assert "queued" in events
    _, page = await story.call("GET", f"/api/conversations/{conversation}/messages")
    asked = [item["content"] for item in page["items"] if item["role"] == "user"]
    assert asked == [client.record.plan.message for client in clients]
    assert [item["role"] for item in page["items"]] == ["user", "assistant"] * 4


async def test_a_message_that_will_not_wait_is_refused(story: Story) -> None:
    conversation = await _conversation(story)
    first = story.client(story.plan(SCRIPT, conversation=conversation))
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(first.run())
        await story.reading(first.record, 1)
        refused = {"message": "Now!", "conversation_id": conversation, "busy": "reject"}
        status, told = await story.call("POST", "/api/chat", refused)
        assert (status, told["code"]) == (409, "conversation_busy")
    read = await story.sound()
    assert len(read.runs) == 1


async def test_a_message_that_interrupts(story: Story) -> None:
    conversation = await _conversation(story)
    first = story.client(story.plan(LONG, conversation=conversation))
    second = story.client(story.plan(SCRIPT, conversation=conversation, busy="interrupt"))
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(first.run())
        await story.reading(first.record, 3)
        tasks.create_task(second.run())
    read = await story.sound()
    assert read.runs[first.record.run].status == "cancelled"
    assert read.runs[second.record.run].status == "completed"
    assert second.record.text() == story.said[second.record.plan.message]

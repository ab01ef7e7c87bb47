"""One Idempotency-Key is one run, sent twice or a hundred times at once, streamed or not."""

import asyncio
from uuid import uuid4

from tests.harness.fake_provider.interruptions import CutOff
from tests.harness.fake_provider.script import Script
from tests.harness.story import Story


async def test_the_same_post_twice(story: Story) -> None:
    message, key = story.message(Script(words=4)), str(uuid4())
    one = await story.call("POST", "/api/chat", {"message": message}, Idempotency_Key=key)
    two = await story.call("POST", "/api/chat", {"message": message}, Idempotency_Key=key)
    assert one[0] == two[0] == 200
    assert one[1]["run_id"] == two[1]["run_id"]
    assert one[1]["response"] == two[1]["response"]
    other = {"message": "Something else."}
    status, told = await story.call("POST", "/api/chat", other, Idempotency_Key=key)
    assert (status, told["code"]) == (422, "idempotency_mismatch")


async def test_a_hundred_at_once(story: Story) -> None:
    script = Script(words=12, between_tokens_s=0.02)
    plan = story.plan(script, door="post", identity="idempotency_key")
    records = await story.live(*[plan] * 100)
    assert {record.outcome for record in records} == {"ended"}
    assert len({record.run for record in records}) == 1
    await story.sound()
    assert len(await story.calls_for(plan.message)) == 1
    rows = await story.fetch("SELECT 1 FROM idempotency WHERE key = $1", plan.token)
    assert len(rows) == 1


async def test_a_streamed_and_a_whole_answer_share_a_run(story: Story) -> None:
    message, key = story.message(Script(words=10, between_tokens_s=0.02)), str(uuid4())
    body = {"message": message}
    first, second = await asyncio.gather(
        story.call("POST", "/api/chat", body, Idempotency_Key=key),
        story.call("POST", "/api/chat", body, Idempotency_Key=key),
    )
    assert first[1]["run_id"] == second[1]["run_id"]
    assert len(await story.calls_for(message)) == 1


async def test_a_failure_that_nobody_saw_releases_the_key(story: Story) -> None:
    broken = Script(faults=(CutOff(),))
    plan = story.plan(broken, door="post", identity="idempotency_key")
    (first,) = await story.live(plan)
    assert [frame.event for frame in first.heard()][-1] == "error"
    (second,) = await story.live(plan)
    assert second.run != first.run

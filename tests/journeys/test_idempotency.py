"""One Idempotency-Key is one run, repeated or concurrent, streamed or not."""

import asyncio
from uuid import uuid4

from tests.harness.fake_provider.script import Script
from tests.harness.fake_provider.timing_faults import CutOff
from tests.harness.scenario import Scenario


async def test_the_same_post_twice(scenario: Scenario) -> None:
    message, key = scenario.message(Script(words=4)), str(uuid4())
    one = await scenario.call("POST", "/api/chat", {"message": message}, Idempotency_Key=key)
    two = await scenario.call("POST", "/api/chat", {"message": message}, Idempotency_Key=key)
    assert one[0] == two[0] == 200
    assert one[1]["run_id"] == two[1]["run_id"]
    assert one[1]["response"] == two[1]["response"]
    other = {"message": "Something else."}
    status, response = await scenario.call("POST", "/api/chat", other, Idempotency_Key=key)
    assert (status, response["code"]) == (422, "idempotency_mismatch")


async def test_a_hundred_concurrent_requests(scenario: Scenario) -> None:
    script = Script(words=12, between_tokens_s=0.02)
    plan = scenario.plan(script, http_method="post", identity="idempotency_key")
    records = await scenario.run_clients(*[plan] * 100)
    assert {record.outcome for record in records} == {"ended"}
    assert len({record.run for record in records}) == 1
    await scenario.check()
    assert len(await scenario.calls_for(plan.message)) == 1
    rows = await scenario.fetch("SELECT 1 FROM idempotency WHERE key = $1", plan.token)
    assert len(rows) == 1


async def test_streamed_and_whole_answers_share_a_run(scenario: Scenario) -> None:
    message, key = scenario.message(Script(words=10, between_tokens_s=0.02)), str(uuid4())
    body = {"message": message}
    first, second = await asyncio.gather(
        scenario.call("POST", "/api/chat", body, Idempotency_Key=key),
        scenario.call("POST", "/api/chat", body, Idempotency_Key=key),
    )
    assert first[1]["run_id"] == second[1]["run_id"]
    assert len(await scenario.calls_for(message)) == 1


async def test_unseen_failure_releases_the_key(scenario: Scenario) -> None:
    broken = Script(faults=(CutOff(),))
    plan = scenario.plan(broken, http_method="post", identity="idempotency_key")
    (first,) = await scenario.run_clients(plan)
    assert [frame.event for frame in first.frames()][-1] == "error"
    (second,) = await scenario.run_clients(plan)
    assert second.run != first.run

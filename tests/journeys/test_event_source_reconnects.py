"""An EventSource that reconnects repeatedly ends with exactly the stored text."""

from tests.harness.fake_provider.script import Script
from tests.harness.scenario import Scenario

SCRIPT = Script(words=50, between_tokens_s=0.03)


async def test_repeated_disconnects(scenario: Scenario) -> None:
    plan = scenario.plan(SCRIPT, leave_after=(1, 3, 1, 2), wait_for_204=True)
    (record,) = await scenario.run_clients(plan)
    assert record.outcome == "ended"
    assert [c.status for c in record.connections] == [200] * (len(record.connections) - 1) + [204]
    assert len(record.connections) >= 4
    read = await scenario.check()
    run = read.runs[record.run]
    assert record.text() == await scenario.text_of(run.message) == scenario.answers[plan.message]
    assert len(await scenario.calls_for(plan.message)) == 1


async def test_disconnect_before_the_first_id(scenario: Scenario) -> None:
    """`client_msg_id` makes the repeated question the same run."""
    plan = scenario.plan(SCRIPT)
    first, second, third = await scenario.run_clients(plan, plan, plan)
    assert first.run == second.run == third.run
    await scenario.check()
    assert len(await scenario.calls_for(plan.message)) == 1


async def test_post_reader_resumes_by_run(scenario: Scenario) -> None:
    plan = scenario.plan(SCRIPT, http_method="post", resume_by="run", leave_after=(4,))
    (record,) = await scenario.run_clients(plan)
    assert record.text() == scenario.answers[plan.message]
    await scenario.check()


async def test_reconnect_after_the_end_is_204(scenario: Scenario) -> None:
    response = await scenario.chat()
    run = response["run_id"].removeprefix("run_")
    (whole,) = await scenario.run_clients(scenario.plan(follow=run, message="-"))
    last = whole.last_seq
    (seen,) = await scenario.run_clients(scenario.plan(follow=run, after=last, message="-"))
    assert [c.status for c in seen.connections] == [204]
    (beyond,) = await scenario.run_clients(scenario.plan(follow=run, after=last + 50, message="-"))
    frames = [frame.payload for frame in beyond.frames()]
    assert frames[0]["event"] == "snapshot"
    assert frames[0]["data"]["recovered"] is False
    assert frames[0]["data"]["messages"][-1]["content"] == response["response"]

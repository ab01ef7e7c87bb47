"""An EventSource that is cut again and again ends with exactly the text that the database holds."""

from tests.harness.fake_provider.script import Script
from tests.harness.story import Story

SCRIPT = Script(words=50, between_tokens_s=0.03)


async def test_cut_again_and_again(story: Story) -> None:
    plan = story.plan(SCRIPT, leave_after=(1, 3, 1, 2), wait_for_204=True)
    (record,) = await story.live(plan)
    assert record.outcome == "ended"
    assert [c.status for c in record.connections] == [200] * (len(record.connections) - 1) + [204]
    assert len(record.connections) >= 4
    read = await story.sound()
    run = read.runs[record.run]
    assert record.text() == await story.text_of(run.message) == story.said[plan.message]
    assert len(await story.calls_for(plan.message)) == 1


async def test_cut_before_the_first_id_arrives(story: Story) -> None:
    """`client_msg_id` makes the repeated question the same run."""
    plan = story.plan(SCRIPT)
    first, second, third = await story.live(plan, plan, plan)
    assert first.run == second.run == third.run
    await story.sound()
    assert len(await story.calls_for(plan.message)) == 1


async def test_a_reader_by_post_goes_on_by_run(story: Story) -> None:
    plan = story.plan(SCRIPT, door="post", resume_by="run", leave_after=(4,))
    (record,) = await story.live(plan)
    assert record.text() == story.said[plan.message]
    await story.sound()


async def test_a_reader_of_an_ended_run_is_told_so(story: Story) -> None:
    told = await story.say()
    run = told["run_id"].removeprefix("run_")
    (whole,) = await story.live(story.plan(follow=run, message="-"))
    last = whole.last_seq
    (seen,) = await story.live(story.plan(follow=run, after=last, message="-"))
    assert [c.status for c in seen.connections] == [204]
    (beyond,) = await story.live(story.plan(follow=run, after=last + 50, message="-"))
    frames = [frame.payload for frame in beyond.heard()]
    assert frames[0]["event"] == "snapshot"
    assert frames[0]["data"]["recovered"] is False
    assert frames[0]["data"]["messages"][-1]["content"] == told["response"]

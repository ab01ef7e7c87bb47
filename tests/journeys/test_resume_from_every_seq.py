"""Resuming from every seq gives the rest, exactly, from the live log and from the folded one."""

from tests.harness import evidence
from tests.harness.fake_provider.script import Script
from tests.harness.fixtures import Serve
from tests.harness.story import Story, eventually

SCRIPT = Script(words=30, between_tokens_s=0.02, reasoning_words=6)


async def _resume_everywhere(story: Story, run: str, last: int) -> None:
    before = len(story.records)
    readers = [story.plan(follow=run, after=after, message="-") for after in range(last)]
    await story.live(*readers)
    records = story.records[before:]
    assert {record.outcome for record in records} == {"ended"}
    assert [len(list(r.logged())) for r in records] == [last - after for after in range(last)]


async def test_live_and_folded(serve: Serve) -> None:
    story = serve(settings={"CARTRITA_RUN_LOG_FOLD_AFTER_S": "3600"})
    (record,) = await story.live(story.plan(SCRIPT))
    await _resume_everywhere(story, record.run, record.last_seq)
    live = await story.sound()
    assert not live.runs[record.run].folded

    assert story.server.stop() == 0
    story.server.change({"CARTRITA_RUN_LOG_FOLD_AFTER_S": "0"})
    story.server.restart()

    async def folded() -> bool:
        return (await evidence.read(story.server.dsn, [record.run])).runs[record.run].folded

    await eventually(folded)
    await _resume_everywhere(story, record.run, record.last_seq)
    read = await story.sound(earlier=live)
    assert await story.fetch("SELECT 1 FROM run_events") == []
    assert [event.data for event in read.logs[record.run]] == [
        event.data for event in live.logs[record.run]
    ]

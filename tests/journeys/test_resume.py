"""Resuming from every seq gives exactly the rest, from the live log and from the folded one."""

from tests.harness import evidence
from tests.harness.fake_provider.script import Script
from tests.harness.fixtures import Serve
from tests.harness.scenario import Scenario, eventually

SCRIPT = Script(words=30, between_tokens_s=0.02, reasoning_words=6)


async def _resume_everywhere(scenario: Scenario, run: str, last: int) -> None:
    before = len(scenario.records)
    readers = [scenario.plan(follow=run, after=after, message="-") for after in range(last)]
    await scenario.run_clients(*readers)
    records = scenario.records[before:]
    assert {record.outcome for record in records} == {"ended"}
    assert [len(list(r.logged())) for r in records] == [last - after for after in range(last)]


async def test_live_and_folded(serve: Serve) -> None:
    scenario = serve(settings={"CARTRITA_RUN_LOG_FOLD_AFTER_S": "3600"})
    (record,) = await scenario.run_clients(scenario.plan(SCRIPT))
    await _resume_everywhere(scenario, record.run, record.last_seq)
    live = await scenario.check()
    assert not live.runs[record.run].folded

    assert scenario.server.stop() == 0
    scenario.server.change({"CARTRITA_RUN_LOG_FOLD_AFTER_S": "0"})
    scenario.server.restart()

    async def folded() -> bool:
        return (await evidence.read(scenario.server.dsn, [record.run])).runs[record.run].folded

    await eventually(folded)
    await _resume_everywhere(scenario, record.run, record.last_seq)
    read = await scenario.check(earlier=live)
    assert await scenario.fetch("SELECT 1 FROM run_events") == []
    assert [event.data for event in read.logs[record.run]] == [
        event.data for event in live.logs[record.run]
    ]

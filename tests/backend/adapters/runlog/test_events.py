"""The run_events table: events are inserted with their version and read back in order."""

import pytest
from msgspec.structs import replace
from tests.backend.adapters.runlog.fixtures import Cluster

from cartrita.adapters.runlog.encoding import dump_event, load_event
from cartrita.adapters.runlog.events import insert_events, select_events
from cartrita.domain.events import (
    VERSION,
    LoggedEvent,
    RunStarted,
    TextAppended,
    ToolCalled,
    ToolReturned,
)
from cartrita.domain.ids import RunId
from cartrita.domain.step_records import UNKNOWN_RESULT
from cartrita.kit.ids import uuid7


async def test_inserted_events_are_read_back_in_order(cluster: Cluster) -> None:
    run, other = RunId(uuid7()), RunId(uuid7())
    events = [
        LoggedEvent(run, 1, RunStarted("c", "m", "a", "m", "p")),
        LoggedEvent(run, 2, TextAppended("a", 0)),
    ]
    await insert_events(cluster.connection, [events[1], LoggedEvent(other, 1, events[1].event)])
    await insert_events(cluster.connection, events[:1])
    assert await select_events(cluster.connection, run) == events
    assert await select_events(cluster.connection, RunId(uuid7())) == []
    assert await cluster.value("SELECT array_agg(DISTINCT version) FROM run_events") == [VERSION]


async def test_an_event_that_cannot_be_encoded_is_refused(cluster: Cluster) -> None:
    lone_surrogate = LoggedEvent(RunId(uuid7()), 1, ToolCalled("c", "n", {"a": "\ud800"}))
    with pytest.raises(UnicodeError):
        await insert_events(cluster.connection, [lone_surrogate])
    assert await cluster.value("SELECT count(*) FROM run_events") == 0


def test_a_log_of_before_told_by_the_result_alone_that_an_end_is_unknown() -> None:
    unknown, done = (
        ToolReturned("c1", "act", result, False, "task_1_1") for result in (UNKNOWN_RESULT, "did")
    )
    assert load_event(dump_event(unknown)) == replace(unknown, unknown=True)
    assert load_event(dump_event(done)) == done

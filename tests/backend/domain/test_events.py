"""Which events end a run, and which a person has seen."""

from typing import get_args
from uuid import UUID

import msgspec
from hypothesis import given
from tests.backend.domain.samples import JSON, MIDDLES, STARTED, TERMINALS, logs
from tests.backend.examples import examples

from cartrita.domain.event_visibility import is_visible
from cartrita.domain.events import (
    VERSION,
    Event,
    HistorySummarized,
    LoggedEvent,
    ModelAccepted,
    ProviderAwaited,
    RunStarted,
    RunStopped,
    StopStatus,
    UsageRecorded,
)
from cartrita.domain.ids import RunId
from cartrita.domain.runs import RunStatus

RUN = RunId(UUID(int=1))


@examples
@given(TERMINALS)
def test_the_last_event_is_terminal(event: Event) -> None:
    assert LoggedEvent(RUN, 9, event).terminal
    assert is_visible(event)


@examples
@given(MIDDLES | STARTED)
def test_no_other_is(event: Event) -> None:
    assert not LoggedEvent(RUN, 9, event).terminal
    unseen = RunStarted | ModelAccepted | ProviderAwaited | HistorySummarized | UsageRecorded
    assert is_visible(event) == (not isinstance(event, unseen))


@examples
@given(logs())
def test_events_are_what_they_were_after_encoding(events: list[Event]) -> None:
    assert msgspec.json.decode(msgspec.json.encode(events), type=list[Event]) == events


@examples
@given(JSON)
def test_a_reader_skips_fields_that_it_does_not_know(value: object) -> None:
    """A newer replica may say more than this one has heard of."""
    event = RunStopped(StopStatus.FAILED, "c", "m", recoverable=True)
    raw = msgspec.to_builtins(event) | {"of_tomorrow": value}
    assert msgspec.json.decode(msgspec.json.encode(raw), type=Event) == event


def test_stored_fields_are_those_of_this_version() -> None:
    """An older replica leaves the events of a newer version alone: it would lose their fields.

    A field that is added here raises the version.
    """
    fields = sum(len(kind.__struct_fields__) for kind in get_args(Event))
    assert (VERSION, fields) == (6, 99)


def test_a_kind_of_error_of_a_newer_version_is_read() -> None:
    event = RunStopped(StopStatus.FAILED, "c", "m", recoverable=True)
    raw = msgspec.to_builtins(event) | {"error_kind": "of_2027"}
    assert msgspec.json.decode(msgspec.json.encode(raw), type=Event) == event


def test_every_way_to_stop_is_a_status_of_a_run_that_has_ended() -> None:
    assert all(RunStatus(kind).ended for kind in StopStatus)


def test_statuses_that_have_ended() -> None:
    ended = {status for status in RunStatus if status.ended}
    assert ended == {"completed", "failed", "cancelled", "interrupted"}

"""Folding a log and restoring its events after every cursor."""

from uuid import UUID

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from tests.backend.domain.samples import MIDDLES, SPOKEN, STARTED, TERMINALS, logs
from tests.backend.examples import examples

from cartrita.adapters.runlog.encoding import encoded_size
from cartrita.adapters.runlog.folding import fold_events, unfold_events
from cartrita.domain.events import Event, LoggedEvent, ReasoningAppended, RunStarted, TextAppended
from cartrita.domain.ids import RunId

RUN = RunId(UUID(int=1))
WHOLE = 1 << 30


def logged(events: list[Event]) -> list[LoggedEvent]:
    return [LoggedEvent(RUN, seq, event) for seq, event in enumerate(events, 1)]


@examples
@given(logs())
def test_unfolding_restores_the_events_after_every_cursor(events: list[Event]) -> None:
    log = logged(events)
    packed = fold_events(log)
    for after in range(len(log) + 2):
        assert unfold_events(RUN, packed, after, WHOLE) == log[after:]


@examples
@given(st.lists(SPOKEN | MIDDLES | TERMINALS | STARTED, max_size=10))
def test_unfolding_restores_discontinuous_positions(events: list[Event]) -> None:
    """Logs are folded as they are, even if positions are wrong."""
    log = logged(events)
    assert unfold_events(RUN, fold_events(log), 0, WHOLE) == log


@examples
@given(logs(), st.integers(1, 60))
def test_pages_follow_each_other(events: list[Event], max_bytes: int) -> None:
    """Page after page is the log; each exceeds the limit by its last event at most."""
    log = logged(events)
    packed = fold_events(log)
    pages: list[LoggedEvent] = []
    while page := unfold_events(RUN, packed, len(pages), max_bytes):
        pages += page
        assert sum(encoded_size(event.event) for event in page[:-1]) < max_bytes
    assert pages == log


def test_consecutive_text_is_one_item() -> None:
    texts = ["a", "", "ü", "😀b", "c"]
    events: list[Event] = [RunStarted("c", "m", "a", "m", "p")]
    for text in texts:
        events.append(TextAppended(text, sum(len(t) for t in texts[: len(events) - 1])))
    events += [ReasoningAppended("x"), ReasoningAppended("y")]
    items = msgspec.json.decode(fold_events(logged(events)))
    assert [(item["seq"], item.get("ends")) for item in items] == [
        (1, None),
        (2, [1, 1, 2, 4, 5]),
        (7, [1, 2]),
    ]
    assert items[1]["event"]["text"] == "aü😀bc"


def test_an_empty_log_folds_to_an_empty_list() -> None:
    assert unfold_events(RUN, fold_events([]), 0, WHOLE) == []

"""Folding: the log of an ended run as one JSON value, in which consecutive text is joined.

An item is `{"seq", "event"}`. An item for several text events also has `ends`: the number of code
points up to the end of each event, from which the original events are restored exactly.
"""

import msgspec

from cartrita.adapters.runlog.encoding import dump, encoded_size, load_event
from cartrita.domain.events import (
    Event,
    LoggedEvent,
    ReasoningAppended,
    TextAppended,
    UnknownEvent,
)
from cartrita.domain.ids import RunId


class FoldedItem(msgspec.Struct, frozen=True, omit_defaults=True):
    """One event, or several consecutive ones of the same kind of text.

    `event` stays raw JSON, so that events of newer versions are kept unchanged.
    """

    seq: int
    event: msgspec.Raw
    ends: tuple[int, ...] = ()


_items = msgspec.json.Decoder(list[FoldedItem])


def fold_events(events: list[LoggedEvent]) -> str:
    """JSON text for the `items` column of run_logs."""
    items: list[FoldedItem] = []
    group: list[LoggedEvent] = []
    for event in events:
        if group and not _follows(event.event, group[-1].event):
            items.append(_join(group))
            group = []
        group.append(event)
    if group:
        items.append(_join(group))
    return dump(items)


def unfold_events(run_id: RunId, text: str, after: int, max_bytes: int) -> list[LoggedEvent]:
    """The original events with numbers greater than `after`, up to a page of `max_bytes`.

    A page exceeds `max_bytes` by one event at most. An empty page means that `after` is the end.
    """
    page: list[LoggedEvent] = []
    size = 0
    for item in _items.decode(text):
        if item.seq + len(item.ends) <= after:
            continue
        for event in _split(run_id, item):
            if event.seq <= after:
                continue
            if size >= max_bytes:
                return page
            size += encoded_size(event.event)
            page.append(event)
    return page


def _follows(event: Event, last: Event) -> bool:
    """Whether the event continues the text of the last one."""
    match event, last:
        case TextAppended(logprobs=()), TextAppended(logprobs=()):
            follows = event.position == last.position + len(last.text)
            return follows and event.refusal == last.refusal
        case ReasoningAppended(), ReasoningAppended():
            return True
        case _:
            return False


def _join(group: list[LoggedEvent]) -> FoldedItem:
    first = group[0]
    if len(group) == 1:
        return FoldedItem(first.seq, _raw(first.event))
    pieces: list[str] = []
    ends: list[int] = []
    length = 0
    for event in group:
        text = event.event.text if isinstance(event.event, TextAppended | ReasoningAppended) else ""
        length += len(text)
        pieces.append(text)
        ends.append(length)
    return FoldedItem(first.seq, _raw(_with_text(first.event, "".join(pieces), 0)), tuple(ends))


def _raw(event: Event) -> msgspec.Raw:
    stored = event.stored if isinstance(event, UnknownEvent) else event
    return msgspec.Raw(dump(stored).encode())


def _split(run_id: RunId, item: FoldedItem) -> list[LoggedEvent]:
    event = load_event(item.event)
    if not item.ends or not isinstance(event, TextAppended | ReasoningAppended):
        return [LoggedEvent(run_id, item.seq, event)]
    starts = (0, *item.ends)
    return [
        LoggedEvent(run_id, item.seq + n, _with_text(event, event.text[start:end], start))
        for n, (start, end) in enumerate(zip(starts, item.ends, strict=False))
    ]


def _with_text(event: Event, text: str, offset: int) -> Event:
    if isinstance(event, TextAppended):
        return msgspec.structs.replace(event, text=text, position=event.position + offset)
    return ReasoningAppended(text)

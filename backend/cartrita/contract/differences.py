"""What has changed from one contract to another, and what of it breaks clients."""

from collections.abc import Callable, Iterator, Mapping
from typing import Final, TypeVar

from cartrita.contract.compatibility import takes
from cartrita.contract.definition_differences import (
    Difference,
    definition_differences,
    sent_differences,
)
from cartrita.contract.model import (
    Body,
    Contract,
    ErrorKind,
    Operation,
    Repetition,
    Socket,
    Streaming,
)

T = TypeVar("T")

_REPETITIONS: Final = (Repetition.UNSAFE, Repetition.WITH_KEY, Repetition.SAFE)
"""From the least that a client may do to the most."""


def differences(before: Contract, after: Contract) -> list[Difference]:
    """All changes, those that break clients first."""
    found = [
        *_of_named(_by_id(before.operations), _by_id(after.operations), _operation),
        *_of_named(before.definitions, after.definitions, definition_differences),
        *_of_named(
            {kind.name: kind for kind in before.error_kinds},
            {kind.name: kind for kind in after.error_kinds},
            _error_kind,
        ),
        *_of_named(
            {socket.path: socket for socket in before.sockets},
            {socket.path: socket for socket in after.sockets},
            _socket,
        ),
    ]
    return sorted(found, key=lambda one: (not one.breaking, one.place))


def _by_id(operations: tuple[Operation, ...]) -> dict[str, Operation]:
    return {operation.id: operation for operation in operations}


def _of_named(
    before: Mapping[str, T], after: Mapping[str, T], compare: Callable[[T, T], Iterator[Difference]]
) -> Iterator[Difference]:
    for name, one in before.items():
        if name in after:
            yield from compare(one, after[name])
        else:
            yield Difference(name, "is gone", breaking=True)
    yield from (Difference(name, "is new") for name in after if name not in before)


def _operation(before: Operation, after: Operation) -> Iterator[Difference]:
    place = before.id
    if (before.method, before.path) != (after.method, after.path):
        yield Difference(place, f"is {after.method} {after.path} now", breaking=True)
    yield from sent_differences(place, before.path_parameters, after.path_parameters)
    yield from sent_differences(place, before.query, after.query)
    yield from _body(place, before.body, after.body)
    yield from _answer(before, after)
    yield from _manner(before, after)


def _body(place: str, before: Body | None, after: Body | None) -> Iterator[Difference]:
    if before is None or after is None:
        if before is not after:
            must = after is not None and after.required
            yield Difference(place, f"takes {'a' if after else 'no'} body now", must or not after)
        return
    if (before.format, before.record) != (after.format, after.record):
        yield Difference(place, "takes another body", breaking=True)
    elif before.record is None:
        yield from sent_differences(place, before.fields, after.fields)
    if after.required and not before.required:
        yield Difference(place, "must be given a body", breaking=True)


def _answer(before: Operation, after: Operation) -> Iterator[Difference]:
    old, new = before.answer, after.answer
    if old != new:
        fits = old is not None and new is not None and takes(old, new)
        yield Difference(before.id, "answers something else", breaking=not fits)
    if before.streaming is not after.streaming:
        more = before.streaming is Streaming.NEVER and after.streaming is Streaming.ON_REQUEST
        yield Difference(before.id, f"streams {after.streaming} now", breaking=not more)
    if before.item != after.item:
        yield Difference(before.id, "has pages of something else", breaking=True)


def _manner(before: Operation, after: Operation) -> Iterator[Difference]:
    if before.repetition is not after.repetition:
        less = _REPETITIONS.index(after.repetition) < _REPETITIONS.index(before.repetition)
        yield Difference(before.id, f"may be repeated {after.repetition} now", breaking=less)
    if before.resumable and not after.resumable:
        yield Difference(before.id, "cannot be resumed any more", breaking=True)
    if after.authenticated and not before.authenticated:
        yield Difference(before.id, "needs a credential now", breaking=True)
    if before.provider != after.provider:
        yield Difference(before.id, "takes the key of another provider", breaking=True)
    for status in sorted(set(after.error_statuses) - set(before.error_statuses)):
        yield Difference(before.id, f"may answer {status}")


def _error_kind(before: ErrorKind, after: ErrorKind) -> Iterator[Difference]:
    place = f"errors.{before.name}"
    if before.statuses != after.statuses:
        yield Difference(place, f"has the statuses {after.statuses}", breaking=True)
    if before.retryable and not after.retryable:
        yield Difference(place, "is not to be tried again any more")
    for code in before.codes:
        if code not in after.codes:
            yield Difference(place, f"the code {code} is gone", breaking=True)
    for code in after.codes:
        if code not in before.codes:
            yield Difference(place, f"the code {code} is new")


def _socket(before: Socket, after: Socket) -> Iterator[Difference]:
    yield from _frames(before.path, before.sent, after.sent)
    yield from _frames(before.path, before.received, after.received)
    fixed = (before.events, before.place, before.end_place, before.refusal)
    if fixed != (after.events, after.place, after.end_place, after.refusal):
        yield Difference(before.path, "sends events of another form", breaking=True)


def _frames(
    place: str, before: tuple[tuple[str, str], ...], after: tuple[tuple[str, str], ...]
) -> Iterator[Difference]:
    old, new = dict(before), dict(after)
    for kind, record in old.items():
        if new.get(kind) != record:
            yield Difference(place, f"the frame {kind} is gone", breaking=True)
    yield from (Difference(place, f"the frame {kind} is new") for kind in new if kind not in old)

"""What has changed in a definition, for those who send it and for those who receive it.

A value or a variant that is new breaks nobody: clients let pass what they do not know.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from cartrita.contract.compatibility import takes
from cartrita.contract.model import (
    Constants,
    Definition,
    Enumeration,
    Field,
    Parameter,
    Record,
    Type,
    Variants,
)


@dataclass(frozen=True, slots=True)
class Difference:
    """A change at a place. A `breaking` one may stop a client that worked until now."""

    place: str
    what: str
    breaking: bool = False


def definition_differences(before: Definition, after: Definition) -> Iterator[Difference]:
    """The changes of one definition."""
    match before, after:
        case Record(), Record():
            yield from _record(before, after)
        case Enumeration(), Enumeration():
            yield from _names(before.name, "value", before.values, after.values)
        case Variants(), Variants():
            if before.tag != after.tag:
                yield Difference(before.name, f"is told apart by {after.tag} now", breaking=True)
            tags = [tag for tag, _ in before.members], [tag for tag, _ in after.members]
            yield from _names(before.name, "variant", *tags)
        case _:
            yield Difference(before.name, "is something else now", breaking=True)


def sent_differences(
    place: str, before: tuple[Field | Parameter, ...], after: tuple[Field | Parameter, ...]
) -> Iterator[Difference]:
    """The changes of what clients give: parameters, and the fields of forms."""
    yield from _fields(place, before, after, sent=True, received=False)


def _record(before: Record, after: Record) -> Iterator[Difference]:
    yield from _fields(
        before.name, before.fields, after.fields, sent=before.sent, received=before.received
    )


def _fields(
    owner: str,
    before: tuple[Field | Parameter, ...],
    after: tuple[Field | Parameter, ...],
    *,
    sent: bool,
    received: bool,
) -> Iterator[Difference]:
    old, new = {one.name: one for one in before}, {one.name: one for one in after}
    for name, field in old.items():
        place = f"{owner}.{name}"
        if name not in new:
            yield Difference(place, "is gone", breaking=True)
            continue
        yield from _necessity(place, field, new[name], sent=sent, received=received)
        yield from _type(place, field.type, new[name].type, sent=sent, received=received)
    for name, field in new.items():
        if name not in old:
            must = sent and field.required
            yield Difference(f"{owner}.{name}", "is new" + ", and must be given" * must, must)


def _necessity(
    place: str, before: Field | Parameter, after: Field | Parameter, *, sent: bool, received: bool
) -> Iterator[Difference]:
    if after.required and not before.required:
        yield Difference(place, "is always there now", breaking=sent)
    if before.required and not after.required:
        yield Difference(place, "may be absent now", breaking=received)
    if before.default != after.default:
        yield Difference(place, f"is {after.default!r} where it is not given", breaking=sent)


def _type(
    place: str, before: Type, after: Type, *, sent: bool, received: bool
) -> Iterator[Difference]:
    if isinstance(before, Constants) and isinstance(after, Constants):
        yield from _names(place, "value", before.values, after.values)
    elif before != after:
        breaking = (sent and not takes(after, before)) or (received and not takes(before, after))
        yield Difference(place, "has another type", breaking)


def _names(
    owner: str, noun: str, before: tuple[str, ...] | list[str], after: tuple[str, ...] | list[str]
) -> Iterator[Difference]:
    for name in before:
        if name not in after:
            yield Difference(owner, f"the {noun} {name} is gone", breaking=True)
    for name in after:
        if name not in before:
            yield Difference(owner, f"the {noun} {name} is new")

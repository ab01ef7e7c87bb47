"""Walks the server's documents, and returns the contract of what clients have methods for."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from cartrita.contract.model import (
    Contract,
    Definition,
    ErrorKind,
    EventType,
    Operation,
    Record,
    Socket,
    Variants,
)
from cartrita.contract.operations import operation_of, received_schemas, sent_schemas
from cartrita.contract.schemas import Schema, definition_of, names_in, referred

Schemas: TypeAlias = Mapping[str, Schema]

_EVENTS: Final = "ChatEvent"
_ERRORS: Final = ("ErrorBody", "InvalidBody")
_TERMINAL: Final = frozenset({"done", "error"})


@dataclass(frozen=True, slots=True)
class _Walked:
    """An operation, with the description that it was read from."""

    operation: Operation
    description: Schema


def contract_of(openapi: Schema, asyncapi: Schema) -> Contract:
    """The contract that both documents describe. Raises UnknownSchema."""
    schemas: Schemas = {**asyncapi["components"]["schemas"], **openapi["components"]["schemas"]}
    walked = list(_walked(openapi))
    sockets = tuple(_sockets(asyncapi))
    definitions = _definitions(schemas, _sent(walked, sockets), _received(walked, sockets))
    return Contract(
        version=openapi["info"]["version"],
        operations=tuple(each.operation for each in walked),
        definitions=definitions,
        events=tuple(_events(definitions, schemas)),
        error_kinds=tuple(_error_kind(row) for row in openapi["x-error-kinds"]),
        sockets=sockets,
    )


def _walked(document: Schema) -> Iterator[_Walked]:
    """The operations that have methods, by their paths."""
    schemas = document["components"]["schemas"]
    for path, methods in sorted(document["paths"].items()):
        for method, described in sorted(methods.items()):
            if described.get("x-client") != "none":
                found = operation_of(path, method, described, schemas)
                yield _Walked(found, described)


def _sockets(document: Schema) -> Iterator[Socket]:
    """Those that tell of runs; on others there is another protocol, which has its own clients."""
    for name, channel in sorted(document["channels"].items()):
        frames = channel["x-frames"]
        if "events" not in frames:
            continue
        yield Socket(
            id=name,
            path=channel["address"],
            description=channel["description"],
            sent=tuple(frames["sent"].items()),
            received=tuple(frames["received"].items()),
            events=frames["events"],
            place=frames["place"],
            end_place=frames["end_place"],
            refusal=frames["refusal"],
        )


def _sent(walked: Iterable[_Walked], sockets: Iterable[Socket]) -> set[str]:
    """The names of what clients send."""
    schemas = [schema for each in walked for schema in sent_schemas(each.description)]
    return names_in(schemas) | {record for socket in sockets for _, record in socket.sent}


def _received(walked: Iterable[_Walked], sockets: Iterable[Socket]) -> set[str]:
    """The names of what clients are answered."""
    schemas = [schema for each in walked for schema in received_schemas(each.description)]
    frames = {record for socket in sockets for _, record in socket.received}
    places = {
        name for one in sockets for name in (one.events, one.place, one.end_place, one.refusal)
    }
    return names_in(schemas) | frames | places | {_EVENTS, *_ERRORS}


def _definitions(
    schemas: Schemas, sent: Iterable[str], received: Iterable[str]
) -> dict[str, Definition]:
    """What is sent or received, and all that it refers to, by name."""
    of_sent, of_received = _closure(schemas, sent), _closure(schemas, received)
    return {
        name: replace(
            definition_of(name, schemas[name]),
            sent=name in of_sent,
            received=name in of_received,
        )
        for name in sorted(of_sent | of_received)
    }


def _closure(schemas: Schemas, names: Iterable[str]) -> set[str]:
    found: set[str] = set()
    waiting = set(names)
    while waiting:
        found |= waiting
        waiting = {name for each in waiting for name in names_in(schemas[each])} - found
    return found


def _events(definitions: Mapping[str, Definition], schemas: Schemas) -> Iterator[EventType]:
    union = definitions[_EVENTS]
    assert isinstance(union, Variants)
    for name, frame in union.members:
        record = definitions[frame]
        assert isinstance(record, Record)
        yield EventType(
            name=name,
            record=frame,
            data=referred(schemas[frame]["properties"]["data"]),
            description=record.description,
            terminal=name in _TERMINAL,
        )


def _error_kind(row: Schema) -> ErrorKind:
    return ErrorKind(
        name=row["kind"],
        sentence=row["sentence"],
        statuses=tuple(row["statuses"]),
        codes=tuple(row["codes"]),
        retryable=row["retryable"],
        lasting=tuple(row["lasting"]),
    )

"""The contract as values: what the templates of all languages read."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, TypeAlias


class Scalar(StrEnum):
    """A value without parts. ANY is any JSON; MOMENT is RFC 3339 text; BYTES are no JSON."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    MOMENT = "moment"
    UUID = "uuid"
    BYTES = "bytes"
    ANY = "any"


@dataclass(frozen=True, slots=True)
class Plain:
    """A scalar."""

    scalar: Scalar


@dataclass(frozen=True, slots=True)
class Constants:
    """One of these texts, written in place; often one alone, as the tag of a record."""

    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list."""

    items: "Type"


@dataclass(frozen=True, slots=True)
class MapOf:
    """An object with any names."""

    values: "Type"


@dataclass(frozen=True, slots=True)
class Named:
    """A definition, by its name."""

    name: str


@dataclass(frozen=True, slots=True)
class OrNull:
    """Something or null."""

    of: "Type"


@dataclass(frozen=True, slots=True)
class OneOf:
    """One of several types; null is none of them."""

    options: tuple["Type", ...]


WAITING: Final = Named("WaitingResponse")
"""Answered instead of an answer that waits for a person."""
Type: TypeAlias = Plain | Constants | ListOf | MapOf | Named | OrNull | OneOf


@dataclass(frozen=True, slots=True)
class Field:
    """A member of an object, or of a form. `default` is what its absence means, where there is one.

    Of what the server answers, fields that are not `required` may be absent.
    """

    name: str
    type: Type
    required: bool
    default: Any
    description: str


@dataclass(frozen=True, slots=True)
class Record:
    """An object with named members. `sent` and `received` say what clients do with it."""

    name: str
    description: str
    fields: tuple[Field, ...]
    sent: bool = False
    received: bool = False

    def field(self, name: str) -> Field | None:
        """The field of that name."""
        return next((one for one in self.fields if one.name == name), None)


@dataclass(frozen=True, slots=True)
class Enumeration:
    """Texts that have a meaning."""

    name: str
    description: str
    values: tuple[str, ...]
    sent: bool = False
    received: bool = False


@dataclass(frozen=True, slots=True)
class Variants:
    """A union of records: the field `tag` says which. `members` are (its value, record)."""

    name: str
    description: str
    tag: str
    members: tuple[tuple[str, str], ...]
    sent: bool = False
    received: bool = False


Definition: TypeAlias = Record | Enumeration | Variants


class Place(StrEnum):
    """Where a parameter stands."""

    PATH = "path"
    QUERY = "query"


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of the path or of the query. Lists are repeated in the query."""

    name: str
    place: Place
    type: Type
    required: bool
    default: Any
    description: str


class BodyFormat(StrEnum):
    """How a body is sent: as JSON, or as multipart/form-data."""

    JSON = "json"
    FORM = "form"


@dataclass(frozen=True, slots=True)
class Body:
    """What an operation is sent. `record` names the definition of a JSON body; a form has none.

    Where not `required`, an empty body means one without fields.
    """

    format: BodyFormat
    fields: tuple[Field, ...]
    required: bool
    record: str | None = None


class Streaming(StrEnum):
    """Whether the answer is a stream of events; ON_REQUEST by the field `stream` of the body."""

    NEVER = "never"
    ON_REQUEST = "on_request"
    ALWAYS = "always"


class Repetition(StrEnum):
    """Whether a request may be sent again: as it is, with one Idempotency-Key, or not."""

    SAFE = "safe"
    WITH_KEY = "with_key"
    UNSAFE = "unsafe"


@dataclass(frozen=True, slots=True)
class ProviderKey:
    """Whose key to send where a caller has only keys of providers.

    `field` of the body names the provider, where it is given; else it is `default`.
    """

    default: str | None
    field: str | None


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of the clients.

    `answer` is the type of its JSON, BYTES for a file, and None for no body. `resumable` operations
    take Last-Event-ID. `item` is the type of what its pages hold.
    """

    id: str
    method: str
    path: str
    summary: str
    description: str
    group: str
    path_parameters: tuple[Parameter, ...]
    query: tuple[Parameter, ...]
    body: Body | None
    answer: Type | None
    streaming: Streaming
    item: Type | None
    repetition: Repetition
    resumable: bool
    provider: ProviderKey | None
    authenticated: bool
    error_statuses: tuple[int, ...]

    @property
    def waits(self) -> bool:
        """Whether it may answer that a person has to decide first."""
        return isinstance(self.answer, OneOf) and WAITING in self.answer.options


@dataclass(frozen=True, slots=True)
class EventType:
    """An event of a stream: `record` is its frame, `data` the record of what it tells."""

    name: str
    record: str
    data: str
    description: str
    terminal: bool


@dataclass(frozen=True, slots=True)
class ErrorKind:
    """A kind of errors. The code of an answer decides the kind, and else the status does.

    `retryable` is said of the kind; codes in `lasting` are not.
    """

    name: str
    sentence: str
    statuses: tuple[int, ...]
    codes: tuple[str, ...]
    retryable: bool
    lasting: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Socket:
    """A WebSocket: (type, record) of the frames that clients send and that answer them.

    Events come as `events` with the fields of `place` beside their own, and the one that ends an
    answer with those of `end_place`. `refusal` is the record of a frame without a type.
    """

    id: str
    path: str
    description: str
    sent: tuple[tuple[str, str], ...]
    received: tuple[tuple[str, str], ...]
    events: str
    place: str
    end_place: str
    refusal: str


@dataclass(frozen=True, slots=True)
class Contract:
    """All of it; everything is in the order in which it is written."""

    version: str
    operations: tuple[Operation, ...]
    definitions: Mapping[str, Definition]
    events: tuple[EventType, ...]
    error_kinds: tuple[ErrorKind, ...]
    sockets: tuple[Socket, ...]

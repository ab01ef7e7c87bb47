"""Observations: what a trace consists of, in nobody's vocabulary."""

from collections.abc import Mapping
from enum import StrEnum
from hashlib import blake2b
from types import MappingProxyType
from typing import Final
from uuid import UUID

import msgspec

from cartrita.domain.json import JsonObject, JsonValue
from cartrita.domain.ledger import NO_USE, ServiceUse
from cartrita.domain.prompts import PromptVersion
from cartrita.domain.token_classes import Costs
from cartrita.domain.usage import Usage

NO_FIELDS: Final[Mapping[str, JsonValue]] = MappingProxyType({})


class Kind(StrEnum):
    """What an observation is of; Langfuse has the same words."""

    AGENT = "agent"
    GENERATION = "generation"
    EMBEDDING = "embedding"
    TOOL = "tool"
    RETRIEVER = "retriever"
    GUARDRAIL = "guardrail"
    SPAN = "span"
    EVENT = "event"


class Level(StrEnum):
    """How much it matters."""

    DEFAULT = "DEFAULT"
    WARNING = "WARNING"
    ERROR = "ERROR"


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """What is told of every observation of a trace: whose it is, and what it is of."""

    trace_id: UUID
    name: str
    user: str
    session: str | None = None
    agent: str | None = None
    tags: tuple[str, ...] = ()
    metadata: Mapping[str, JsonValue] = NO_FIELDS


class ModelUse(msgspec.Struct, frozen=True, kw_only=True):
    """What a call of a model used; `first_output` is when it came, in ns since 1970.

    `costs` are None where the price of a part is not known. `prompt` is what the instructions are
    from, if they are kept elsewhere. A `service` that serves no models was asked for its
    `operation`.
    """

    provider: str
    model: str
    usage: Usage
    costs: Costs | None
    parameters: JsonObject = {}
    first_output: int | None = None
    finish_reason: str | None = None
    prompt: PromptVersion | None = None
    service: ServiceUse = NO_USE
    operation: str | None = None


class Observation(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was done, from `start` to `end`, in ns since 1970.

    `status` says what is wrong where the level is not the usual one. `input` and `output` are as
    much as is told of them. The first of a trace has no `parent`. `caller_trace` is the
    `traceparent` of whoever asked for it, in another trace.
    """

    subject: Subject
    span_id: int
    parent: int | None
    kind: Kind
    name: str
    start: int
    end: int
    level: Level = Level.DEFAULT
    status: str | None = None
    input: JsonValue = None
    output: JsonValue = None
    use: ModelUse | None = None
    metadata: Mapping[str, JsonValue] = NO_FIELDS
    caller_trace: str | None = None

    @property
    def failed(self) -> bool:
        return self.level is Level.ERROR


def span_id(trace_id: UUID, *place: object) -> int:
    """The id of what is at a place of a trace: the same in every process."""
    words = "|".join(map(str, place))
    digest = blake2b(words.encode("utf-8", "replace"), key=trace_id.bytes, digest_size=8).digest()
    return int.from_bytes(digest) or 1


def without_nones(fields: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """The fields that have a value."""
    return {name: value for name, value in fields.items() if value is not None}

"""What is known of an operation of the API, and a request for one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from cartrita_client.forms import FileInput, Form, Progress

AnswerKind = Literal["json", "stream", "bytes", "nothing"]
Repetition = Literal["safe", "with_key", "unsafe"]


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation; `answer` names the type of its JSON, `waits` that it may wait for a person.

    `repetition` says whether sending it twice does what once does: always, with the same
    Idempotency-Key, or not. `long` says that a model or another service works for the answer.
    `provider` is whose key it needs, unless the field `provider` of the request names another.
    """

    name: str
    method: str
    path: str
    kind: AnswerKind = "json"
    answer: str = ""
    waits: bool = False
    repetition: Repetition = "safe"
    long: bool = False
    provider: str | None = None
    provider_in_body: bool = False

    @property
    def repeatable(self) -> bool:
        """Whether sending it again, with the same key, does nothing twice."""
        return self.repetition != "unsafe"

    @property
    def unsafe(self) -> bool:
        """Whether it may change something."""
        return self.method != "GET"


@dataclass(frozen=True, slots=True, repr=False)
class Call:
    """One request, which may be sent several times; its headers hold a key, so it is not shown."""

    operation: Operation
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: bytes | None = None
    form: Form | None = None
    timeout: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Given:
    """What a method was given, None for what was left out."""

    path: tuple[str, ...] = ()
    query: Mapping[str, Any] = field(default_factory=dict[str, Any])
    body: Mapping[str, Any] | None = None
    files: Sequence[tuple[str, FileInput]] = ()
    progress: Progress | None = None
    headers: Mapping[str, str | None] = field(default_factory=dict[str, "str | None"])
    idempotency_key: str | None = None
    timeout: float | None = None

"""The checker's input (observations of one test) and output (violations)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tests.harness.evidence import Evidence
from tests.harness.records import Record


@dataclass(frozen=True, slots=True)
class Violation:
    """One violated invariant: its name, the run or client, and what happened."""

    invariant: str
    subject: str
    detail: str

    def __str__(self) -> str:
        return f"{self.invariant} {self.subject}: {self.detail}"


@dataclass(frozen=True, slots=True)
class Call:
    """A model call as the provider saw it; moments are seconds since 1970."""

    prompt: str
    received_at: float
    first_token_at: float | None
    ended_at: float | None
    tokens_sent: int
    outcome: str
    messages: int = 0
    """How many it was sent: one step of an answer has more of them than the step before."""


@dataclass(frozen=True, slots=True)
class Overdue:
    """A run that was seen `running` although its owner's lease had long expired."""

    run: str
    expired_s: float


@dataclass(frozen=True, slots=True)
class Stall:
    """Readers that stopped reading: the memory they cost, and whether others finished."""

    readers: int
    bytes_before: int
    bytes_after: int
    others_finished: bool


@dataclass(slots=True, kw_only=True)
class Observations:
    """`earlier` is an older reading of the same database. `answers` is the model's answer to each
    prompt, as far as known. `settled` says that all readers had their time and all runs were
    waited for. `patience_s` is how long what must happen within a second may take on a machine
    that is busy.
    """

    evidence: Evidence
    records: Sequence[Record] = ()
    earlier: Evidence | None = None
    calls: Sequence[Call] | None = None
    streams_open: int | None = None
    answers: Mapping[str, str] = field(default_factory=dict[str, str])
    overdue: Sequence[Overdue] = ()
    stalls: Sequence[Stall] = ()
    settled: bool = True
    patience_s: float = 10.0

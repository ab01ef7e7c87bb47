"""Step records: what a run has done so far, so that it goes on from there after a crash."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Final, TypeAlias
from uuid import UUID

import msgspec

from cartrita.domain.deltas import FinishReason
from cartrita.domain.events import ToolReturned
from cartrita.domain.messages import Attachment, Part
from cartrita.domain.step_places import StepPlace
from cartrita.domain.usage import Usage

UNKNOWN_RESULT: Final = (
    "It is not known whether this took effect: it was begun, and broke off before its end was "
    "known. It was not tried again. Look whether it did before it is repeated, and tell the person."
)


class StepState(StrEnum):
    """`intent` is stored before a tool acts; one that nobody knows the end of becomes `unknown`."""

    INTENT = "intent"
    DONE = "done"
    UNKNOWN = "unknown"


class ModelSaid(msgspec.Struct, frozen=True, omit_defaults=True, tag="model"):
    """What a model said in one call that went on with tools, and what that cost."""

    parts: tuple[Part, ...]
    reason: FinishReason
    usage: Usage
    cost: float | None = None


class ToolSaid(msgspec.Struct, frozen=True, omit_defaults=True, tag="tool"):
    """The result of a tool, as the model reads it, and what it spent in US dollars.

    `approved` is that of `ToolResult`.
    """

    text: str
    success: bool = True
    attachments: tuple[Attachment, ...] = ()
    cost: float | None = None
    approved: bool = False


class ToolBegun(msgspec.Struct, frozen=True, omit_defaults=True, tag="begun"):
    """The call that is being made, for the task `task_id` if there is one.

    One that does not act only looks. Records of before did not say, and count as those that act.
    """

    call_id: str
    name: str
    task_id: str | None = None
    acts: bool = True


StepOutput: TypeAlias = ModelSaid | ToolSaid | ToolBegun


UNKNOWN: Final = ToolSaid(UNKNOWN_RESULT, False)


class StepRecord(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One step or tool call of a run, by its place.

    `input_hash` is that of a tool call, see `hash_arguments`. An `approval_id` is consumed by
    storing the record.
    """

    place: StepPlace
    state: StepState
    output: StepOutput | None = None
    input_hash: str | None = None
    approval_id: UUID | None = None

    @property
    def may_have_acted(self) -> bool:
        """Whether what this is the intent of may have taken effect: not if it only looks."""
        return not isinstance(self.output, ToolBegun) or self.output.acts


class StoredSteps:
    """The records of a run, by place."""

    def __init__(self, records: tuple[StepRecord, ...] = ()) -> None:
        self._records = {record.place: record for record in records}

    def find(self, place: StepPlace) -> StepRecord | None:
        return self._records.get(place)

    def said(self, place: StepPlace) -> ModelSaid | None:
        """What the model said in this step, if that is known."""
        record = self._records.get(place)
        output = None if record is None else record.output
        return output if isinstance(output, ModelSaid) else None


def begun_calls(records: Iterable[StepRecord]) -> list[ToolBegun]:
    """The calls among these that were begun and have no end."""
    begun = [record.output for record in records if record.state is StepState.INTENT]
    return [call for call in begun if isinstance(call, ToolBegun)]


def unknown_result(call: ToolBegun) -> ToolReturned:
    """What is told of a call whose end nobody knows."""
    return ToolReturned(call.call_id, call.name, UNKNOWN_RESULT, False, call.task_id, unknown=True)

"""The parts of an answer, counted by kind as its deltas come."""

from collections import Counter
from collections.abc import Iterable, Mapping

from cartrita.domain.deltas import (
    CitationDelta,
    Delta,
    ReasoningDelta,
    RefusalDelta,
    TextDelta,
    ToolCallDelta,
    VendorDelta,
)

_ONCE: Mapping[type[Delta], str] = {
    TextDelta: "text",
    RefusalDelta: "refusal",
    ReasoningDelta: "reasoning",
}
"""Kinds whose deltas are counted as one part, however they are cut."""


class AnswerParts:
    """How many parts of each kind there are; it keeps nothing of what they say."""

    def __init__(self) -> None:
        self._once: set[str] = set()
        self._calls: set[int] = set()
        self._others: Counter[str] = Counter()

    def add(self, delta: Delta) -> None:
        """Count what comes next."""
        match delta:
            case ToolCallDelta(index=index):
                self._calls.add(index)
            case CitationDelta():
                self._others["citation"] += 1
            case VendorDelta():
                self._others["other"] += 1
            case _:
                if kind := _ONCE.get(type(delta)):
                    self._once.add(kind)

    @property
    def counts(self) -> Mapping[str, int]:
        """By kind; without those that there are none of."""
        calls = {"tool_call": len(self._calls)} if self._calls else {}
        return {**dict.fromkeys(sorted(self._once), 1), **calls, **self._others}

    @classmethod
    def of(cls, deltas: Iterable[Delta]) -> "AnswerParts":
        """Those of a whole answer."""
        parts = cls()
        for delta in deltas:
            parts.add(delta)
        return parts

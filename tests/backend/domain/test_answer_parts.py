"""The parts of an answer, counted from its deltas."""

from cartrita.domain.answer_parts import AnswerParts
from cartrita.domain.deltas import (
    Accepted,
    CitationDelta,
    Finished,
    FinishReason,
    ReasoningDelta,
    TextDelta,
    ToolCallDelta,
)
from cartrita.domain.messages import Citation
from cartrita.domain.usage import Usage


def test_what_comes_in_pieces_is_one_part() -> None:
    deltas = [
        Accepted("p", "m"),
        ReasoningDelta("Let me "),
        ReasoningDelta("see."),
        TextDelta("Hello "),
        TextDelta("you."),
        ToolCallDelta(0, "call_1", "add"),
        ToolCallDelta(0, arguments="{}"),
        ToolCallDelta(1, "call_2", "add"),
        CitationDelta(Citation(title="one")),
        CitationDelta(Citation(title="two")),
        Finished(FinishReason.STOP, Usage()),
    ]
    counts = AnswerParts.of(deltas).counts
    assert counts == {"reasoning": 1, "text": 1, "tool_call": 2, "citation": 2}


def test_nothing_has_no_parts() -> None:
    assert AnswerParts.of([]).counts == {}

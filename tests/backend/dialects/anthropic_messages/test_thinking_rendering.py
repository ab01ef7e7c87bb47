"""Reasoning is asked for by an effort or by a number of tokens, whichever the model takes."""

import json
from typing import Any

import msgspec
import pytest

from cartrita.dialects.anthropic_messages.models import ModelOptions
from cartrita.dialects.anthropic_messages.request_rendering import render
from cartrita.domain.messages import Message, Part, Reasoning, Role, Text, ToolCall, ToolResult
from cartrita.domain.requests import ModelRequest, ReasoningOptions, Sampling
from cartrita.domain.tools import ToolSpec

ORIGIN = "anthropic_messages"
BUDGET = ModelOptions(output_tokens=64_000)
ADAPTIVE = ModelOptions(output_tokens=64_000, thinking="adaptive", effort=True)


def request(
    reasoning: ReasoningOptions, max_tokens: int | None = None, **fields: Any
) -> ModelRequest:
    fields.setdefault("messages", (Message(Role.USER, (Text("hi"),)),))
    fields.setdefault("sampling", Sampling(max_tokens=max_tokens))
    return ModelRequest(owner_id="o", model="m", reasoning=reasoning, **fields)


def rendered(
    wanted: ModelRequest, options: ModelOptions
) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    result = render(wanted, options)
    return json.loads(result.body), [(told.field, told.kind) for told in result.receipts]


@pytest.mark.parametrize(
    ("effort", "budget"),
    [("minimal", 1024), ("low", 2048), ("medium", 8192), ("high", 16_384), ("novel", 8192)],
)
def test_an_effort_becomes_a_number_of_tokens(effort: str, budget: int) -> None:
    body, told = rendered(request(ReasoningOptions(effort)), BUDGET)
    assert body["thinking"] == {"type": "enabled", "budget_tokens": budget}
    assert body["max_tokens"] > budget
    assert told == [("reasoning", "approximated")]


@pytest.mark.parametrize(
    ("wanted", "effort", "told"),
    [
        (ReasoningOptions("high"), "high", []),
        (ReasoningOptions("minimal"), "low", [("reasoning", "approximated")]),
        (ReasoningOptions(budget_tokens=2000), "low", [("reasoning", "approximated")]),
        (ReasoningOptions(budget_tokens=9000), "medium", [("reasoning", "approximated")]),
        (ReasoningOptions(budget_tokens=30_000), "high", [("reasoning", "approximated")]),
    ],
)
def test_an_effort_for_a_model_that_takes_one(
    wanted: ReasoningOptions, effort: str, told: list[tuple[str, str]]
) -> None:
    body, receipts = rendered(request(wanted), ADAPTIVE)
    assert body["thinking"] == {"type": "adaptive"}
    assert body["output_config"] == {"effort": effort}
    assert receipts == told


def test_a_summary_is_shown() -> None:
    body, _ = rendered(request(ReasoningOptions("low", summary="auto")), ADAPTIVE)
    assert body["thinking"] == {"type": "adaptive", "display": "summarized"}


def test_a_model_without_efforts_decides_alone() -> None:
    options = ModelOptions(thinking="adaptive")
    assert "output_config" not in rendered(request(ReasoningOptions("low")), options)[0]


@pytest.mark.parametrize("wanted", [ReasoningOptions("none"), ReasoningOptions(mode="disabled")])
def test_no_reasoning(wanted: ReasoningOptions) -> None:
    assert rendered(request(wanted), BUDGET)[0]["thinking"] == {"type": "disabled"}
    assert "thinking" not in rendered(request(wanted), ModelOptions(thinking=None))[0]
    assert "thinking" not in rendered(request(ReasoningOptions()), BUDGET)[0]


@pytest.mark.parametrize(
    ("budget", "limit", "expected", "told"),
    [
        (5000, 8000, 5000, []),
        (5000, 5000, 2500, [("reasoning", "approximated")]),
        (5000, 1500, 1024, [("reasoning", "approximated")]),
        (500, 1500, 1024, []),
        (5000, 1024, None, [("reasoning", "approximated"), ("reasoning", "dropped")]),
    ],
)
def test_the_number_fits_under_the_limit(
    budget: int, limit: int, expected: int | None, told: list[tuple[str, str]]
) -> None:
    body, receipts = rendered(request(ReasoningOptions(budget_tokens=budget), limit), BUDGET)
    assert body["max_tokens"] == limit
    assert body.get("thinking", {}).get("budget_tokens") == expected
    assert receipts == told


def test_a_limit_of_ours_makes_room() -> None:
    body, _ = rendered(request(ReasoningOptions(budget_tokens=9000)), ModelOptions())
    assert body["max_tokens"] == 13_096
    small = ModelOptions(output_tokens=8192)
    body, _ = rendered(request(ReasoningOptions(budget_tokens=9000)), small)
    assert body["max_tokens"] == 8192
    assert body["thinking"]["budget_tokens"] == 4096


def test_a_model_that_does_not_reason() -> None:
    body, told = rendered(request(ReasoningOptions("high")), ModelOptions(thinking=None))
    assert "thinking" not in body
    assert told == [("reasoning", "dropped")]


def test_it_does_not_reason_where_it_must_call_a_tool() -> None:
    tools = (ToolSpec("t", "", {}),)
    forced = request(ReasoningOptions("high"), tools=tools, tool_choice="required")
    assert rendered(forced, ADAPTIVE)[1] == [("reasoning", "dropped")]
    free = request(ReasoningOptions("high"), tools=tools)
    assert "thinking" in rendered(free, ADAPTIVE)[0]


def test_reasoning_is_turned_off_as_the_model_takes_it() -> None:
    none = request(ReasoningOptions("none"))
    between = ModelOptions(thinking="adaptive", effort=True, thinking_off="between_tools")
    assert rendered(none, between)[0]["thinking"] == {"type": "between_tools"}
    always = ModelOptions(thinking="adaptive", effort=True, thinking_off=None)
    body, told = rendered(none, always)
    assert "thinking" not in body
    assert body["output_config"] == {"effort": "low"}
    assert told == [("reasoning", "approximated")]


@pytest.mark.parametrize("effort", [None, "high"])
def test_a_model_that_reasons_unasked_is_told_not_to_where_it_must_call_a_tool(
    effort: str | None,
) -> None:
    options = msgspec.structs.replace(ADAPTIVE, thinks_unasked=True)
    tools = (ToolSpec("t", "", {}),)
    forced = request(ReasoningOptions(effort), tools=tools, tool_choice="required")
    body, told = rendered(forced, options)
    assert body["thinking"] == {"type": "disabled"}
    assert told == ([] if effort is None else [("reasoning", "dropped")])
    free = request(ReasoningOptions(), tools=tools)
    assert "thinking" not in rendered(free, options)[0]
    deciding = msgspec.structs.replace(options, forced_tools=False)
    body, told = rendered(forced, deciding)
    assert body.get("thinking") == (None if effort is None else {"type": "adaptive"})
    assert told == [("tool_choice", "approximated")]


def test_it_does_not_begin_to_reason_between_a_call_and_its_result() -> None:
    def history(*parts: Part) -> tuple[Message, ...]:
        return (
            Message(Role.USER, (Text("a"),)),
            Message(Role.ASSISTANT, (*parts, ToolCall("c", "n", {}))),
            Message(Role.TOOL, (ToolResult("c", (Text("r"),)),)),
        )

    unsigned = request(ReasoningOptions("low"), messages=history())
    assert "thinking" not in rendered(unsigned, BUDGET)[0]
    assert "thinking" in rendered(unsigned, ADAPTIVE)[0]
    signed = history(Reasoning("r", signature="S", origin=ORIGIN))
    assert "thinking" in rendered(request(ReasoningOptions("low"), messages=signed), BUDGET)[0]
    result_alone = signed[2:]
    wanted = request(ReasoningOptions("low"), messages=result_alone)
    assert "thinking" in rendered(wanted, BUDGET)[0]


def test_sampling_is_dropped_while_it_reasons() -> None:
    sampling = Sampling(temperature=0.2, top_p=1.0)
    body, told = rendered(request(ReasoningOptions("low"), sampling=sampling), ADAPTIVE)
    assert "temperature" not in body
    assert told == [("temperature", "dropped")]


def test_what_a_caller_of_this_dialect_wrote_is_kept() -> None:
    wanted = ReasoningOptions("max", 2048, "enabled", "omitted")
    body, told = rendered(request(wanted, 4096, origin=ORIGIN), ADAPTIVE)
    assert body["thinking"] == {"type": "enabled", "budget_tokens": 2048, "display": "omitted"}
    assert body["output_config"] == {"effort": "max"}
    assert told == []
    assert "thinking" not in rendered(request(ReasoningOptions(), origin=ORIGIN), ADAPTIVE)[0]

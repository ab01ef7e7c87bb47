"""Renders how much the model reasons: by an effort or by a number of tokens, as the model takes it.

The number must be at least 1,024 and less than the limit of output tokens.
"""

from typing import Literal, TypeAlias

import msgspec

from cartrita.dialects.anthropic_messages import DIALECT
from cartrita.dialects.anthropic_messages import request_types as wire
from cartrita.dialects.anthropic_messages.models import ModelOptions
from cartrita.dialects.losses import Losses
from cartrita.domain.messages import Message, Reasoning, Role, ToolCall, ToolResult
from cartrita.domain.requests import ModelRequest, ReasoningOptions

Effort: TypeAlias = str
_Thinking: TypeAlias = tuple[wire.Thinking | None, Effort | None, int]

_FREE = ("auto", "none")
_LEAST_BUDGET = 1024
_ANSWER = 4096  # tokens left for the answer, if the limit is ours to choose
_BUDGETS = {
    "minimal": 1024,
    "low": 2048,
    "medium": 8192,
    "high": 16_384,
    "xhigh": 24_576,
    "max": 32_768,
}
_EFFORTS: tuple[tuple[int, Literal["low", "medium", "high"]], ...] = (
    (4096, "low"),
    (16_383, "medium"),
)


class Limits(msgspec.Struct, frozen=True):
    """The limit of output tokens; `given` if the caller chose it."""

    max_tokens: int
    given: bool


def render_thinking(
    request: ModelRequest, options: ModelOptions, limits: Limits, losses: Losses
) -> _Thinking:
    """The thinking, the effort, and the limit of output tokens that leaves room for both."""
    wanted = request.reasoning
    if request.origin == DIALECT:
        return _native(wanted), wanted.effort, limits.max_tokens
    if wanted.effort == "none" or wanted.mode == "disabled":
        return *_off(options, losses), limits.max_tokens
    if wanted.effort is None and wanted.budget_tokens is None:
        return _unasked(request, options), None, limits.max_tokens
    why = _obstacle(request, options)
    if why:
        losses.dropped("reasoning", why)
        return _unasked(request, options), None, limits.max_tokens
    if options.thinking == "adaptive":
        return _adaptive(wanted, options, limits, losses)
    return _budget(wanted, options, limits, losses)


def _native(wanted: ReasoningOptions) -> wire.Thinking | None:
    if wanted.mode is None:
        return None
    return wire.Thinking(wanted.mode, wanted.budget_tokens, wanted.summary)


def _off(options: ModelOptions, losses: Losses) -> tuple[wire.Thinking | None, Effort | None]:
    """The switch that turns reasoning off, or the least of it where there is none."""
    if options.thinking is None:
        return None, None
    if options.thinking_off is None:
        losses.approximated("reasoning", "The model always reasons; its lowest effort is sent.")
        return None, "low" if options.effort else None
    return wire.Thinking(options.thinking_off), None


def _unasked(request: ModelRequest, options: ModelOptions) -> wire.Thinking | None:
    """The switch for a model that reasons unasked, where it must call a tool and cannot do both."""
    if options.thinks_unasked and options.thinking_off and _must_call(request, options):
        return wire.Thinking(options.thinking_off)
    return None


def _must_call(request: ModelRequest, options: ModelOptions) -> bool:
    """Whether the model is told to call a tool, and takes that."""
    return bool(request.tools) and request.tool_choice not in _FREE and options.forced_tools


def _obstacle(request: ModelRequest, options: ModelOptions) -> str:
    """Why the model cannot reason about this request; empty if it can."""
    if options.thinking is None:
        return "The model does not reason."
    if _must_call(request, options):
        return "The model does not reason where it must call a tool."
    if options.thinking == "budget" and _calls_without_reasoning(request.messages):
        return "The model does not reason after tool calls that it made without."
    return ""


def _calls_without_reasoning(messages: tuple[Message, ...]) -> bool:
    """Whether the results that the model now gets are of calls without signed reasoning."""
    if not messages or not any(isinstance(part, ToolResult) for part in messages[-1].parts):
        return False
    answers = [message for message in messages if message.role is Role.ASSISTANT]
    last = answers[-1].parts if answers else ()
    signed = any(isinstance(part, Reasoning) and part.origin == DIALECT for part in last)
    return any(isinstance(part, ToolCall) for part in last) and not signed


def _adaptive(
    wanted: ReasoningOptions, options: ModelOptions, limits: Limits, losses: Losses
) -> _Thinking:
    thinking = wire.Thinking("adaptive", None, _display(wanted))
    effort = wanted.effort
    if effort is None:
        losses.approximated("reasoning", "The model takes an effort, not a number of tokens.")
        effort = _effort_of(wanted.budget_tokens or 0)
    elif effort == "minimal":
        losses.approximated("reasoning", "The lowest effort of the model is low.")
        effort = "low"
    return thinking, effort if options.effort else None, limits.max_tokens


def _effort_of(budget: int) -> Effort:
    return next((effort for most, effort in _EFFORTS if budget <= most), "high")


def _budget(
    wanted: ReasoningOptions, options: ModelOptions, limits: Limits, losses: Losses
) -> _Thinking:
    budget = wanted.budget_tokens
    if budget is None:
        budget = _BUDGETS.get(wanted.effort or "", _BUDGETS["medium"])
        losses.approximated("reasoning", "The model takes a number of tokens, not an effort.")
    max_tokens = limits.max_tokens
    if not limits.given:
        most = options.output_tokens or budget + _ANSWER
        max_tokens = min(max(max_tokens, budget + _ANSWER), most)
    if budget >= max_tokens:
        losses.approximated("reasoning", "The limit of output tokens leaves room for less.")
        budget = max_tokens // 2
    if budget < _LEAST_BUDGET:
        if max_tokens <= _LEAST_BUDGET:
            losses.dropped("reasoning", "The limit of output tokens leaves no room for it.")
            return None, None, max_tokens
        budget = _LEAST_BUDGET
    return wire.Thinking("enabled", budget, _display(wanted)), None, max_tokens


def _display(wanted: ReasoningOptions) -> str | None:
    return "summarized" if wanted.summary else None

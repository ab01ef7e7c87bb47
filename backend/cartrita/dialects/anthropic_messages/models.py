"""What Anthropic's models take that not all of them do, by their names.

Every line was checked on 2026-11-28. The sources, by the letters that stand in the code:

- D: https://platform.claude.com/docs/en/models, the overview, "what's new" and migration guide of
  each model, and https://platform.claude.com/docs/en/about-claude/models/whats-new-claude-4-5
- L: the table of models in the package litellm 1.110.2 (PyPI), which has a field for each of these
- C: the profiles of models in the package langchain-anthropic 1.7.10 (PyPI)

A model that is not out yet is taken to be like the newest one of its family.
"""

import re
from typing import Literal

import msgspec

_Version = tuple[int, int]


class ModelOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What one model takes; the defaults suit a model of which nothing is known.

    `output_tokens` is the most that it writes. `thinking` is how it is told to reason: `adaptive`
    by an effort, `budget` by a number of tokens, None if it cannot. `thinking_off` is how it is
    told not to, None if it always does, and `thinks_unasked` whether it does without being told.
    `effort`, `json_schema`, `system_messages`, `prefill` and `forced_tools` say whether it takes an
    effort, a schema for its answer, instructions in the middle of a conversation, the beginning of
    its own answer, and an order to call a tool; `sampling` whether it takes temperature, top_p and
    top_k. Where it has `bound_thinking`, its reasoning counts only after what was sent before it.
    """

    output_tokens: int | None = None
    thinking: Literal["adaptive", "budget"] | None = "budget"
    thinking_off: Literal["disabled", "between_tools"] | None = "disabled"
    thinks_unasked: bool = False
    effort: bool = False
    json_schema: bool = True
    system_messages: bool = False
    prefill: bool = True
    forced_tools: bool = True
    bound_thinking: bool = False
    sampling: bool = True


_NAME = re.compile(
    r"(?:(?P<family>opus|sonnet|haiku|fable|mythos)-(?P<major>\d+)(?:[-.](?P<minor>\d{1,2}))?(?!\d))"
    r"|(?:claude-(?P<old_major>[23])(?:[-.](?P<old_minor>\d))?(?!\d))"
)


def known_options(model: str) -> ModelOptions:
    """The options of a model by its name; the defaults for a name that is not Anthropic's."""
    match = _NAME.search(model)
    if match is None:
        return ModelOptions()
    if match["old_major"]:
        return _before_four((int(match["old_major"]), int(match["old_minor"] or 0)))
    version = (int(match["major"]), int(match["minor"] or 0))
    if version >= (4, 6):
        return _from_four_six(match["family"], version)
    return _before_four_six(match["family"], version)


def _from_four_six(family: str, version: _Version) -> ModelOptions:
    return ModelOptions(
        output_tokens=128_000,  # D L C, of each of them
        thinking="adaptive",  # D L
        thinking_off=_thinking_off(family, version),
        thinks_unasked=version >= (5, 0),  # D L
        effort=True,  # D L
        system_messages=version >= (4, 8),  # L C
        prefill=False,  # D L
        forced_tools=_takes_forced_tools(family, version),
        bound_thinking=version >= (5, 5),  # D of the computer toolset
        sampling=version < (4, 7),  # L, and D of Sonnet 5 and Haiku 5.5
    )


def _thinking_off(family: str, version: _Version) -> Literal["disabled", "between_tools"] | None:
    if family in ("fable", "mythos"):
        return None  # D "Adaptive (always on)", L
    if version < (5, 5) or family == "haiku":
        return "disabled"  # D
    return "between_tools" if family == "sonnet" else None  # D of Sonnet 5.5 and Opus 5.5


def _takes_forced_tools(family: str, version: _Version) -> bool:
    if family in ("fable", "mythos"):
        return version < (5, 1)  # L, and D of Opus 5.5: "also apply on Claude Fable 5.1"
    return version < (5, 5) or family == "haiku"  # D L


def _before_four_six(family: str, version: _Version) -> ModelOptions:
    opus = family == "opus"
    return ModelOptions(
        output_tokens=32_000 if opus and version < (4, 5) else 64_000,  # L, and C of 4.5
        effort=opus and version >= (4, 5),  # D: "the only model", L
        json_schema=version >= (4, 5),  # L
    )


def _before_four(version: _Version) -> ModelOptions:
    """Models that other clouds still have."""
    if version >= (3, 7):
        return ModelOptions(output_tokens=64_000, json_schema=False)  # L, of Vertex AI
    limit = 8192 if version >= (3, 5) else 4096  # L
    return ModelOptions(output_tokens=limit, thinking=None, json_schema=False)

"""What Anthropic's models take that not all of them do, by their names.

Source: https://platform.claude.com/docs/en/about-claude/models/overview and the pages on thinking,
effort, structured outputs and prefill.
"""

import re
from typing import Literal

import msgspec


class ModelOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What one model takes; the defaults suit a model of which nothing is known.

    `output_tokens` is the most that it writes. `thinking` is how it is told to reason: `adaptive`
    by an effort, `budget` by a number of tokens, None if it cannot. `effort`, `json_schema`,
    `system_messages` and `prefill` say whether it takes an effort, a schema for its answer,
    instructions in the middle of a conversation, and the beginning of its own answer; `sampling`
    whether it takes temperature, top_p and top_k.
    """

    output_tokens: int | None = None
    thinking: Literal["adaptive", "budget"] | None = "budget"
    effort: bool = False
    json_schema: bool = True
    system_messages: bool = False
    prefill: bool = True
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
        return _old_options((int(match["old_major"]), int(match["old_minor"] or 0)))
    version = (int(match["major"]), int(match["minor"] or 0))
    if version >= (4, 6):
        return ModelOptions(
            output_tokens=64_000 if match["family"] == "haiku" else 128_000,
            thinking="adaptive",
            effort=True,
            prefill=False,
            sampling=version < (4, 7),
        )
    opus = match["family"] == "opus"
    return ModelOptions(
        output_tokens=32_000 if opus and version < (4, 5) else 64_000,
        effort=opus and version >= (4, 5),
        json_schema=version >= (4, 5) or (opus and version >= (4, 1)),
    )


def _old_options(version: tuple[int, int]) -> ModelOptions:
    if version >= (3, 7):
        return ModelOptions(output_tokens=64_000, json_schema=False)
    limit = 8192 if version >= (3, 5) else 4096
    return ModelOptions(output_tokens=limit, thinking=None, json_schema=False)

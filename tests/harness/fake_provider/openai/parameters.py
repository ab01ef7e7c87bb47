"""Parameters that OpenAI's chat completions and responses share."""

from typing import cast

import msgspec
from tests.harness.fake_provider.openai import errors, limits
from tests.harness.fake_provider.shape_checks import Rule

Json = dict[str, object]
RULES: dict[str, Rule] = {
    "metadata": limits.pairs(16, longest_name=64),
    "metadata.*": limits.text(512),
    "safety_identifier": limits.text(128),
    "temperature": limits.decimal(0, 2),
    "top_logprobs": limits.integer(0, 20),
    "top_p": limits.decimal(0, 1),
}
"""The bounds of parameters that both kinds of requests have."""


def decode(body: bytes) -> Json:
    """The body's object; raises the Refusal of what is none."""
    try:
        value: object = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise errors.not_json() from error
    if not isinstance(value, dict):
        raise errors.not_json()
    return cast("Json", value)


def check_named_tool(fields: Json) -> None:
    """Raise the Refusal of the choice of a tool that is not there."""
    chosen = fields.get("tool_choice")
    wanted = _name(cast("Json", chosen)) if isinstance(chosen, dict) else None
    tools = cast("list[Json]", fields.get("tools") or [])
    if wanted is not None and wanted not in [_name(tool) for tool in tools]:
        raise errors.OpenAIRefusal(
            f"Tool choice '{wanted}' not found in 'tools' parameter.", param="tool_choice"
        )


def offered(fields: Json) -> list[Json]:
    """The functions that the answer may call, flattened to name and parameters."""
    tools = cast("list[Json]", fields.get("tools") or [])
    if fields.get("tool_choice") == "none":
        return []
    return [_flat(tool) for tool in tools if tool["type"] == "function"]


def forced_tool(fields: Json) -> Json | None:
    """The function that the answer must call, flattened to name and parameters."""
    chosen = fields.get("tool_choice")
    tools = cast("list[Json]", fields.get("tools") or [])
    functions = [tool for tool in tools if tool["type"] == "function"]
    if chosen == "required" and functions:
        return _flat(functions[0])
    if isinstance(chosen, dict):
        wanted = _name(cast("Json", chosen))
        return next((_flat(each) for each in functions if _name(each) == wanted), None)
    return None


def _flat(tool: Json) -> Json:
    return cast("Json", tool.get("function") or tool)


def _name(tool: Json) -> str | None:
    return cast("str | None", _flat(tool).get("name"))

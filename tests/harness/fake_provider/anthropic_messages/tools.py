"""The tools of a request and the choice among them, as far as types do not say it."""

from typing import Any, cast

from tests.harness.fake_provider.anthropic_messages import errors
from tests.harness.fake_provider.anthropic_messages.limits import text
from tests.harness.fake_provider.shape_checks import Json, Rule


def _schema(value: Any, path: str) -> None:
    schema = cast("Json", value)
    if "type" not in schema:
        raise errors.missing(f"{path}.type")
    if schema["type"] != "object":
        raise errors.wrong_type(f"{path}.type", "'object'")
    properties = schema.get("properties") or {}
    if not isinstance(properties, dict):
        raise errors.wrong_type(f"{path}.properties", "an object")
    for name, field in cast("Json", properties).items():
        if not isinstance(field, dict | bool):
            raise errors.wrong_type(f"{path}.properties.{name}", "an object")
    if not isinstance(schema.get("required") or [], list):
        raise errors.wrong_type(f"{path}.required", "a valid list")


RULES: dict[str, Rule] = {
    "tools[].input_schema": _schema,
    "tools[].name": text(shortest=1, pattern="[a-zA-Z0-9_-]{1,128}"),
}


def check_tools(fields: Json) -> None:
    """Raise the Refusal of tools that do not go together."""
    tools = cast("list[Json]", fields.get("tools") or [])
    names = [cast("str", tool.get("name") or tool["type"]) for tool in tools]
    if len(set(names)) < len(names):
        raise errors.at("tools", "Tool names must be unique.")
    chosen = cast("Json", fields.get("tool_choice") or {})
    if chosen and not names:
        raise errors.at("tool_choice", "may only be specified while providing tools.")
    if chosen.get("type") == "tool" and chosen["name"] not in names:
        raise errors.AnthropicRefusal(f"Tool '{chosen['name']}' not found in provided tools")

"""The tools of a request and the choice among them."""

from typing import cast

from tests.harness.fake_provider.anthropic_messages import errors
from tests.harness.fake_provider.anthropic_messages.blocks import CACHE_CONTROL
from tests.harness.fake_provider.anthropic_messages.json_checks import (
    Check,
    Json,
    anything,
    array,
    boolean,
    choice,
    mapping,
    nullable,
    record,
    string,
    table,
    tagged,
)

_TYPE: dict[str, Check] = {"type": anything}
_PARALLEL: dict[str, Check] = {"disable_parallel_tool_use": boolean}


def _schema(value: object, path: str) -> None:
    schema = mapping(value, path)
    if "type" not in schema:
        raise errors.missing(f"{path}.type")
    choice("object")(schema["type"], f"{path}.type")
    for name, field in mapping(schema.get("properties") or {}, f"{path}.properties").items():
        if not isinstance(field, dict | bool):
            raise errors.wrong_type(f"{path}.properties.{name}", "an object")
    array(string())(schema.get("required") or [], f"{path}.required")


_CUSTOM = record(
    {
        "name": string(shortest=1, pattern="[a-zA-Z0-9_-]{1,128}"),
        "input_schema": _schema,
    },
    {
        "type": nullable(choice("custom")),
        "description": string(),
        "cache_control": CACHE_CONTROL,
        "strict": boolean,
        "defer_loading": boolean,
        "eager_input_streaming": nullable(boolean),
        "allowed_callers": array(string()),
        "input_examples": array(table),
    },
)
_SERVER_TOOLS = ("web_search_", "web_fetch_", "code_execution_", "bash_", "text_editor_", "memory_")


def _tool(value: object, path: str) -> None:
    kind = mapping(value, path).get("type")
    if isinstance(kind, str) and kind.startswith(_SERVER_TOOLS):
        string(shortest=1)(mapping(value, path).get("name"), f"{path}.{kind}.name")
    elif kind in {None, "custom"}:
        _CUSTOM(value, f"{path}.custom")
    else:
        raise errors.at(
            path,
            f"Input tag '{kind}' found using 'type' does not match any of the expected tags: "
            "'bash_20250124', 'custom', 'text_editor_20250728', 'web_search_20250305'",
        )


TOOLS = array(_tool)
CHOICE = tagged(
    {
        "auto": record(_TYPE, _PARALLEL),
        "any": record(_TYPE, _PARALLEL),
        "tool": record(_TYPE | {"name": string()}, _PARALLEL),
        "none": record(_TYPE),
    }
)


def check_tools(fields: Json) -> None:
    """Raise the Refusal of tools that do not go together."""
    names = [cast("str", tool["name"]) for tool in cast("list[Json]", fields.get("tools") or [])]
    if len(set(names)) < len(names):
        raise errors.at("tools", "Tool names must be unique.")
    chosen = cast("Json", fields.get("tool_choice") or {})
    if chosen and not names:
        raise errors.at("tool_choice", "may only be specified while providing tools.")
    if chosen.get("type") == "tool" and chosen["name"] not in names:
        raise errors.AnthropicRefusal(f"Tool '{chosen['name']}' not found in provided tools")

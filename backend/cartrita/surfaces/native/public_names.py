"""The names that schemas have in the contract, where those in the code would not do there."""

import inspect
import re
from collections.abc import Callable
from types import MappingProxyType
from typing import Any, Final, TypeAlias, cast

Schema: TypeAlias = dict[str, Any]

REF: Final = "#/components/schemas/"
_PUBLIC: Final = MappingProxyType(
    {
        "Attachment": "AttachmentPart",
        "Citation": "CitationPart",
        "Operation": "KeyOperation",
        "Reasoning": "ReasoningPart",
        "Refusal": "RefusalPart",
        "Text": "TextPart",
        "ToolCall": "ToolCallPart",
        "ToolResult": "ToolResultPart",
    }
)
"""Names of the domain that would say too little beside those of a program."""
_LONG: Final = re.compile(r"cartrita__surfaces__(\w+?)__\w+__(\w+)")
"""What FastAPI makes of a name that two surfaces have."""
_PAGE: Final = re.compile(r"PageOf_(\w+?)(?:View)?_")
_PREFIXES: Final = MappingProxyType({"native": "", "openai": "OpenAI", "anthropic": "Anthropic"})


def public_name(name: str) -> str:
    """The name in the contract of a schema that has this name in the code."""
    if long := _LONG.fullmatch(name):
        return _PREFIXES[long[1]] + long[2]
    if page := _PAGE.fullmatch(name):
        return f"{page[1]}Page"
    return _PUBLIC.get(name, name)


def with_public_names(document: Schema) -> Schema:
    """The document with public names, whole sentences, and none of the titles made of names."""
    found = cast("Schema", _converted(document))
    schemas: Schema = found["components"]["schemas"]
    named = {public_name(name): schema for name, schema in schemas.items()}
    if len(named) != len(schemas):
        raise ValueError("Two schemas would have one name.")
    found["components"]["schemas"] = dict(sorted(named.items()))
    return found


def _converted(value: object) -> object:
    match value:
        case dict():
            members = cast("Schema", value)
            return {
                name: _CONVERSIONS.get(name, _converted)(inside)
                for name, inside in members.items()
                if not _is_made_title(members, name)
            }
        case list():
            return [_converted(each) for each in cast("list[object]", value)]
        case _:
            return value


def _is_made_title(schema: Schema, name: str) -> bool:
    return name == "title" and isinstance(schema[name], str) and "version" not in schema


def _reference(value: object) -> object:
    if isinstance(value, str) and value.startswith(REF):
        return REF + public_name(value.removeprefix(REF))
    return _converted(value)


def _sentences(value: object) -> object:
    return inspect.cleandoc(value) if isinstance(value, str) else _converted(value)


def _mapping(value: object) -> object:
    if not isinstance(value, dict):
        return value
    return {tag: _reference(name) for tag, name in cast("Schema", value).items()}


def _as_it_is(value: object) -> object:
    return value


_CONVERSIONS: Final[dict[str, Callable[[object], object]]] = {
    "$ref": _reference,
    "description": _sentences,
    "mapping": _mapping,
    "default": _as_it_is,
    "enum": _as_it_is,
    "examples": _as_it_is,
}

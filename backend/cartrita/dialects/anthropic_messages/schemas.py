"""Checks JSON Schemas, and fits them to what the API demands of them."""

from collections.abc import Iterator
from typing import cast

from cartrita.domain.json import JsonObject, JsonValue

_TYPES = ("array", "boolean", "integer", "null", "number", "object", "string")
_SCHEMAS_BY_NAME = ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas")
_LISTS_OF_SCHEMAS = ("anyOf", "allOf", "oneOf", "prefixItems")
_SCHEMAS = ("items", "additionalProperties", "not", "if", "then", "else", "contains")


def object_schema(schema: JsonObject) -> JsonObject:
    """The schema of a tool's arguments with the type `object`, which the API demands."""
    return schema if schema.get("type") == "object" else {**schema, "type": "object"}


def closed_schema(schema: JsonObject) -> JsonObject:
    """The schema with every object in it closed to properties that it does not name."""
    return cast("JsonObject", _closed(schema))


def _closed(value: JsonValue) -> JsonValue:
    if isinstance(value, list):
        return [_closed(item) for item in value]
    if not isinstance(value, dict):
        return value
    closed: JsonObject = {name: _closed(item) for name, item in value.items()}
    is_object = closed.get("type") == "object" and isinstance(closed.get("properties", {}), dict)
    if is_object and closed.get("additionalProperties") is not False:
        closed["additionalProperties"] = False
    return closed


def schema_problem(schema: JsonValue, place: str = "It") -> str:
    """What makes it no JSON Schema, as a sentence; empty if nothing does."""
    if isinstance(schema, bool):
        return ""
    if not isinstance(schema, dict):
        return f"{place} is neither an object nor a boolean."
    return _own_problem(schema, place) or next(
        (problem for name, inner in _inner(schema) if (problem := schema_problem(inner, name))), ""
    )


def _own_problem(schema: JsonObject, place: str) -> str:
    kinds = schema.get("type", [])
    if not all(kind in _TYPES for kind in (kinds if isinstance(kinds, list) else [kinds])):
        return f"{place} has an unknown type."
    required = schema.get("required", [])
    if not isinstance(required, list) or not all(isinstance(name, str) for name in required):
        return f"{place} has a `required` that is not a list of names."
    if not isinstance(schema.get("enum", []), list):
        return f"{place} has an `enum` that is not a list."
    for name in _SCHEMAS_BY_NAME:
        if not isinstance(schema.get(name, {}), dict):
            return f"{place} has a `{name}` that is not an object."
    for name in _LISTS_OF_SCHEMAS:
        if not isinstance(schema.get(name, []), list):
            return f"{place} has a `{name}` that is not a list."
    return ""


def _inner(schema: JsonObject) -> Iterator[tuple[str, JsonValue]]:
    """The schemas within a schema, with what they are called."""
    for name, value in schema.items():
        if name in _SCHEMAS_BY_NAME and isinstance(value, dict):
            yield from ((f"`{name}.{key}`", inner) for key, inner in value.items())
        elif name in _LISTS_OF_SCHEMAS and isinstance(value, list):
            yield from ((f"`{name}`", inner) for inner in value)
        elif name in _SCHEMAS and not isinstance(value, list):
            yield f"`{name}`", value

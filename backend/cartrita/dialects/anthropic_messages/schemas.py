"""Fits JSON Schemas to what the API demands of them."""

from typing import cast

from cartrita.domain.json import JsonObject, JsonValue


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

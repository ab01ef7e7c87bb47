"""Reads the fields of a request's JSON, and refuses them in the vendor's words."""

from collections.abc import Collection
from typing import cast

from cartrita.dialects.openai_refusals import check_bounds, missing, refusal, wrong_type
from cartrita.domain.errors import InvalidInput
from cartrita.domain.json import JsonObject, JsonValue


def wrong_value(path: str, value: str, supported: Collection[str]) -> InvalidInput:
    known = ", ".join(f"'{each}'" for each in sorted(supported))
    problem = f"Invalid value: '{value[:64]}'. Supported values are: {known}."
    return refusal(path, problem, "invalid_value")


def string(data: JsonObject, name: str, path: str) -> str:
    """A field that must be there; `path` is that of `data`, and "" for the request itself."""
    found = optional_string(data, name, path)
    if found is None:
        raise missing(within(path, name))
    return found


def optional_string(data: JsonObject, name: str, path: str = "") -> str | None:
    value = data.get(name)
    if value is None or isinstance(value, str):
        return value
    raise wrong_type(within(path, name), "a string", value)


def choice(data: JsonObject, name: str, path: str, supported: Collection[str]) -> str | None:
    """A field with one of these values, if it is there."""
    value = optional_string(data, name, path)
    if value is not None and value not in supported:
        raise wrong_value(within(path, name), value, supported)
    return value


def boolean(data: JsonObject, name: str) -> bool | None:
    value = data.get(name)
    if value is None or isinstance(value, bool):
        return value
    raise wrong_type(name, "a boolean", value)


def integer(data: JsonObject, name: str, least: int, most: int | None = None) -> int | None:
    value = data.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int):
        raise wrong_type(name, "an integer", value)
    check_bounds(value, name, "integer", least, most)
    return value


def number(data: JsonObject, name: str, most: float) -> float | None:
    value = data.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise wrong_type(name, "a decimal", value)
    check_bounds(value, name, "decimal", 0, most)
    return value


def as_object(value: JsonValue, path: str) -> JsonObject:
    if isinstance(value, dict):
        return cast("JsonObject", value)
    raise wrong_type(path, "an object", value)


def as_list(value: JsonValue, path: str) -> list[JsonValue]:
    if isinstance(value, list):
        return cast("list[JsonValue]", value)
    raise wrong_type(path, "an array of objects", value)


def optional_object(data: JsonObject, name: str, path: str = "") -> JsonObject:
    """An object; empty if it is absent or null."""
    value = data.get(name)
    return {} if value is None else as_object(value, within(path, name))


def within(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name

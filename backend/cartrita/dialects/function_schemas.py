"""Checks the parameters of functions: whether they are JSON Schema, as OpenAI checks it."""

from typing import cast

from cartrita.domain.json import JsonObject

_TYPES = {"object", "array", "string", "number", "integer", "boolean", "null"}


def find_problem(schema: object, path: str = "parameters") -> str | None:
    """What of the schema, its properties and items is no JSON Schema; None if nothing is."""
    if isinstance(schema, bool):
        return None
    if not isinstance(schema, dict):
        return f"{path} is not valid under JSON Schema: it is no object"
    fields = cast("JsonObject", schema)
    why = _wrong_type(fields.get("type")) or _wrong_required(fields.get("required"))
    if why is not None:
        return f"{path} is not valid under JSON Schema: {why}"
    return _find_inside(fields, path)


def _find_inside(fields: JsonObject, path: str) -> str | None:
    properties = fields.get("properties", {})
    if not isinstance(properties, dict):
        return f"{path}.properties is not valid under JSON Schema: it is no object"
    inner = [(value, f"{path}.properties.{name}") for name, value in properties.items()]
    if isinstance(fields.get("items"), dict):
        inner.append((fields["items"], f"{path}.items"))
    found = (find_problem(value, at) for value, at in inner)
    return next((problem for problem in found if problem is not None), None)


def _wrong_type(kinds: object) -> str | None:
    for kind in cast("list[object]", kinds) if isinstance(kinds, list) else [kinds]:
        if kind is not None and (not isinstance(kind, str) or kind not in _TYPES):
            return f"'{kind}' is no type of JSON Schema"
    return None


def _wrong_required(names: object) -> str | None:
    if names is None:
        return None
    listed = isinstance(names, list) and all(
        isinstance(name, str) for name in cast("list[object]", names)
    )
    return None if listed else "its required is no list of names"

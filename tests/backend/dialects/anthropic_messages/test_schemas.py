"""What is not a JSON Schema is told from what is one, anywhere in it."""

import pytest

from cartrita.dialects.anthropic_messages.schemas import closed_schema, schema_problem
from cartrita.domain.json import JsonObject, JsonValue


@pytest.mark.parametrize(
    "schema",
    [
        {},
        True,
        {"type": ["string", "null"], "enum": ["a"], "required": []},
        {"properties": {"a": {"items": {"type": "integer"}}, "b": False}, "required": ["a"]},
        {"anyOf": [{"$ref": "#/$defs/x"}], "$defs": {"x": {}}, "additionalProperties": False},
        {"items": [{"type": "array"}], "title": 5},
    ],
)
def test_schemas(schema: JsonValue) -> None:
    assert schema_problem(schema) == ""


@pytest.mark.parametrize(
    ("schema", "problem"),
    [
        (5, "It is neither"),
        ({"type": "strin"}, "It has an unknown type"),
        ({"type": {}}, "It has an unknown type"),
        ({"required": "a"}, "It has a `required`"),
        ({"required": [1]}, "It has a `required`"),
        ({"enum": {}}, "It has an `enum`"),
        ({"properties": []}, "It has a `properties`"),
        ({"anyOf": {}}, "It has a `anyOf`"),
        ({"properties": {"a": 5}}, "`properties.a` is neither"),
        ({"anyOf": [{}, {"type": "x"}]}, "`anyOf` has an unknown type"),
        ({"items": {"not": "x"}}, "`not` is neither"),
    ],
)
def test_what_is_none(schema: JsonValue, problem: str) -> None:
    assert schema_problem(schema).startswith(problem)


def test_every_object_is_closed() -> None:
    schema: JsonObject = {
        "type": "object",
        "properties": {"type": {"type": "object", "additionalProperties": True}, "b": [1]},
    }
    assert closed_schema(schema) == {
        "type": "object",
        "properties": {"type": {"type": "object", "additionalProperties": False}, "b": [1]},
        "additionalProperties": False,
    }

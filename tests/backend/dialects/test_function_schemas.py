"""Schemas of functions that are none are refused, with the place that is wrong."""

from typing import Any

import pytest

from cartrita.dialects.function_schemas import find_problem


@pytest.mark.parametrize(
    "schema",
    [
        {},
        {"type": ["string", "null"]},
        {"type": "object", "properties": {"a": True}, "required": ["a"]},
        {"type": "array", "items": {"type": "integer"}},
    ],
)
def test_what_is_json_schema(schema: Any) -> None:
    assert find_problem(schema) is None


@pytest.mark.parametrize(
    ("schema", "place"),
    [
        ([], "parameters "),
        ({"type": "text"}, "parameters "),
        ({"type": 3}, "parameters "),
        ({"required": "a"}, "parameters "),
        ({"required": [1]}, "parameters "),
        ({"properties": []}, "parameters.properties "),
        ({"properties": {"a": {}, "b": 3}}, "parameters.properties.b "),
        ({"items": {"type": "text"}}, "parameters.items "),
    ],
)
def test_what_is_none(schema: Any, place: str) -> None:
    problem = find_problem(schema)
    assert problem is not None
    assert problem.startswith(place)

"""What is made for a schema is valid against it, judged by another implementation."""

import json
from contextlib import suppress
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cartrita.adapters.providers.offline.json_schema.examples import Hints, generate_example
from cartrita.adapters.providers.offline.json_schema.flattening import UnsatisfiableSchema

NODE = {
    "type": "object",
    "properties": {
        "value": {"type": "number"},
        "left": {"$ref": "#/$defs/node"},
        "children": {"type": "array", "items": {"$ref": "#/$defs/node"}},
    },
    "required": ["value", "children"],
}
SCHEMAS: list[Any] = [
    {},
    True,
    {"type": "null"},
    {"type": ["null", "boolean"]},
    {"const": None},
    {"const": {"a": 1}},
    {"enum": [3, None, "x"]},
    {"type": "string", "minLength": 20},
    {"type": "string", "maxLength": 2},
    {"type": "string", "pattern": "^[A-Z]{3}-\\d{4}$"},
    {"type": "string", "pattern": "^a+$", "minLength": 12},
    {"type": "string", "format": "date-time"},
    {"type": "string", "format": "email"},
    {"type": "string", "format": "uuid"},
    {"type": "string", "format": "ipv6"},
    {"type": "string", "format": "unheard-of"},
    {"type": "integer", "minimum": 3},
    {"type": "integer", "maximum": -3},
    {"type": "integer", "exclusiveMinimum": 3, "maximum": 4},
    {"type": "integer", "multipleOf": 7, "minimum": 15},
    {"type": "integer", "multipleOf": 7, "maximum": -15},
    {"type": "integer", "multipleOf": 0.5, "minimum": 0.2},
    {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 0.5},
    {"type": "number", "exclusiveMaximum": -1.5},
    {"type": "number", "multipleOf": 0.25, "minimum": 0.3},
    {"minimum": 2.5},
    {"type": "array"},
    {"type": "array", "items": {"type": "integer"}, "minItems": 4, "uniqueItems": True},
    {"items": {"type": "string", "maxLength": 3}, "minItems": 3, "uniqueItems": True},
    {"type": "array", "items": {"enum": ["a", "b", "c"]}, "minItems": 3, "uniqueItems": True},
    {"type": "array", "prefixItems": [{"type": "integer"}, {"type": "string"}], "items": False},
    {"type": "array", "maxItems": 0},
    {"type": "array", "contains": {"const": 5}, "minContains": 2},
    {"items": {"type": "boolean"}, "minItems": 2},
    {"type": "object", "minProperties": 3},
    {"type": "object", "minProperties": 2, "additionalProperties": {"type": "integer"}},
    {"type": "object", "required": ["a"], "additionalProperties": {"type": "integer"}},
    {
        "type": "object",
        "properties": {"a": {"type": "integer"}, "b": {"enum": ["x", "y"]}},
        "required": ["a"],
        "additionalProperties": False,
    },
    {"properties": {"a": {"type": "array", "items": {"type": "object"}}}},
    {
        "type": "object",
        "properties": {"a": {}, "b": {}},
        "oneOf": [{"required": ["a"]}, {"required": ["b"]}],
    },
    {"type": "object", "properties": {"a": {}, "b": {}}, "maxProperties": 1},
    {"oneOf": [{"type": "string"}, {"type": "null"}]},
    {"anyOf": [False, {"type": "integer", "minimum": 5}]},
    {"$defs": {"node": NODE}, "$ref": "#/$defs/node"},
    {"definitions": {"a/b": {"type": "integer"}}, "$ref": "#/definitions/a~1b"},
    {"allOf": [{"type": "integer"}, {"minimum": 5}], "anyOf": [{"$ref": "#/allOf/0"}]},
    {
        "allOf": [
            {"properties": {"x": {"type": "number", "maximum": 9}}, "required": ["x"]},
            {"properties": {"x": {"type": "integer", "minimum": 5}}, "required": ["y"]},
            {"type": "object"},
        ]
    },
    {"allOf": [{"enum": [1, 2, 3]}, {"enum": [2, 3]}, {"default": None}, {"default": None}]},
    {"allOf": [{"type": ["string", "integer"]}, {"type": ["integer", "null"]}]},
    {"allOf": [{"items": {"type": "integer"}}, {"items": {"minimum": 4}}], "type": "array"},
    {
        "type": "object",
        "properties": {
            "steps": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {"explanation": {"type": "string"}, "output": {"type": "string"}},
                    "required": ["explanation", "output"],
                    "additionalProperties": False,
                },
            },
            "final_answer": {"type": "string"},
            "kind": {"anyOf": [{"$ref": "#/$defs/kind"}, {"type": "null"}]},
        },
        "$defs": {"kind": {"type": "string", "enum": ["a", "b"]}},
        "required": ["steps", "final_answer", "kind"],
        "additionalProperties": False,
    },
]  # fmt: skip


def made(schema: Any, material: Hints | None = None) -> Any:
    return generate_example(schema, material or Hints())


@pytest.mark.parametrize("schema", SCHEMAS, ids=lambda schema: json.dumps(schema)[:60])
def test_it_is_valid(schema: Any) -> None:
    checker = jsonschema.Draft202012Validator.FORMAT_CHECKER
    jsonschema.Draft202012Validator(schema, format_checker=checker).validate(made(schema))
    assert made(schema) == made(schema)


def test_older_drafts() -> None:
    tuple_like = {"type": "array", "items": [{"type": "integer"}], "additionalItems": False}
    assert made(tuple_like) == [0]
    assert made({"type": "number", "minimum": 3, "exclusiveMinimum": True}) > 3
    assert made({"type": "number", "maximum": -3, "exclusiveMaximum": True}) < -3
    assert made({"type": "number", "minimum": 3, "exclusiveMinimum": False}) == 3


def test_of_several_branches_one_that_does_not_contain_itself() -> None:
    assert made({"anyOf": [{"$ref": "#"}, {"type": "null"}]}) is None


def test_optional_properties_are_filled_where_they_are_free() -> None:
    assert made({"properties": {"a": {"type": "integer"}}}) == {"a": 0}


def test_material_is_used_in_order_where_it_fits() -> None:
    schema = {
        "type": "object",
        "properties": {
            "n": {"type": "integer"},
            "x": {"type": "number"},
            "small": {"type": "integer", "maximum": 3},
            "city": {"type": "string"},
            "rest": {"type": "string"},
            "unit": {"enum": ["kelvin", "celsius"]},
        },
    }
    material = Hints((3.0, 2.5, 99.0), ("Köln",), "in Celsius, please")
    assert made(schema, material) == {
        "n": 3,
        "x": 2.5,
        "small": 0,
        "city": "Köln",
        "rest": "in Celsius, please",
        "unit": "celsius",
    }


@pytest.mark.parametrize(
    "schema",
    [
        False,
        {"enum": []},
        {"type": "integer", "minimum": 5, "maximum": 4},
        {"type": "integer", "minimum": 0.2, "maximum": 0.8},
        {"type": "string", "minLength": 5, "maxLength": 4},
        {"type": "string", "pattern": "(" * 99},
        {"$ref": "https://example.com/schema"},
        {"$ref": "#/nowhere"},
        {"$ref": "#/type/0"},
        {"$ref": "#anchor"},
        {"required": ["a"], "properties": {"a": {"$ref": "#"}}},
        {"required": ["a"], "additionalProperties": False},
        {"allOf": [{"type": "string"}, {"type": "integer"}]},
        {"allOf": [{"enum": [1]}, {"enum": [2]}]},
    ],
    ids=json.dumps,
)
def test_what_cannot_be_filled(schema: Any) -> None:
    with pytest.raises(UnsatisfiableSchema):
        made(schema)


def doubling(depth: int) -> dict[str, Any]:
    below = {f"d{n}": {"$ref": f"#/$defs/d{n + 1}"} for n in range(depth)}
    both = {
        name: {"required": ["x", "y"], "properties": {"x": ref, "y": ref}}
        for name, ref in below.items()
    }
    return {"$defs": {**both, f"d{depth}": {}}, "$ref": "#/$defs/d0"}  # fmt: skip


def nested(depth: int) -> dict[str, Any]:
    schema: dict[str, Any] = {}
    for _ in range(depth):
        schema = {"properties": {"a": schema}, "required": ["a"]}
    return schema


@pytest.mark.parametrize(
    "schema",
    [
        doubling(40),
        nested(3_000),
        {"allOf": [{"anyOf": [{}, {}]}] * 40 + [False]},
        {"type": "array", "minItems": 10**9},
        {"type": "string", "minLength": 10**9},
        {"type": "object", "minProperties": 10**9},
    ],
    ids=["doubling", "nested", "branches", "items", "characters", "properties"],
)
def test_bombs_are_refused(schema: Any) -> None:
    with pytest.raises(UnsatisfiableSchema):
        made(schema)


KEYWORDS = """
type properties required items prefixItems anyOf oneOf allOf $ref $defs enum const a minimum maximum
exclusiveMinimum exclusiveMaximum multipleOf minLength maxLength minItems maxItems contains
minContains minProperties pattern format not if additionalProperties
"""
JSON = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-5, 10**400),
        st.floats(),
        st.sampled_from(["object", "array", "#", "#/$defs/a", "^a+$", "string", "integer", "date"]),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(KEYWORDS.split()),
            inner,
            max_size=6,
        ),
    ),
    max_leaves=12,
)


@given(JSON)
@settings(deadline=None, max_examples=300)
def test_no_schema_does_harm(schema: Any) -> None:
    with suppress(UnsatisfiableSchema):
        json.dumps(made(schema if isinstance(schema, dict) else {"items": schema}))

"""JSON Schemas are read as the types that clients are written with."""

from typing import Any

import pytest

from cartrita.contract.model import (
    Constants,
    Enumeration,
    ListOf,
    MapOf,
    Named,
    OneOf,
    OrNull,
    Plain,
    Record,
    Scalar,
    Type,
    Variants,
)
from cartrita.contract.schemas import UnknownSchema, definition_of, names_in, type_of

TEXT = Plain(Scalar.TEXT)
ANY = Plain(Scalar.ANY)
BOX = {"$ref": "#/components/schemas/Box"}
LID = {"$ref": "#/components/schemas/Lid"}


@pytest.mark.parametrize(
    ("schema", "found"),
    [
        ({"type": "string", "maxLength": 3}, TEXT),
        ({"type": "string", "format": "date-time"}, Plain(Scalar.MOMENT)),
        ({"type": "string", "format": "uuid"}, Plain(Scalar.UUID)),
        ({"type": "string", "format": "binary"}, Plain(Scalar.BYTES)),
        ({"type": "integer"}, Plain(Scalar.INTEGER)),
        ({"type": "number", "maximum": 2}, Plain(Scalar.NUMBER)),
        ({"type": "boolean", "default": False}, Plain(Scalar.BOOLEAN)),
        ({"description": "Anything."}, ANY),
        ({"enum": ["token"]}, Constants(("token",))),
        ({"const": "text", "type": "string"}, Constants(("text",))),
        (BOX, Named("Box")),
        ({"type": "array", "items": BOX}, ListOf(Named("Box"))),
        ({"type": "object"}, MapOf(ANY)),
        ({"type": "object", "additionalProperties": {"type": "string"}}, MapOf(TEXT)),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, OrNull(TEXT)),
        ({"anyOf": [BOX, LID]}, OneOf((Named("Box"), Named("Lid")))),
        ({"anyOf": [BOX, LID, {"type": "null"}]}, OrNull(OneOf((Named("Box"), Named("Lid"))))),
    ],
)
def test_a_schema_is_read(schema: dict[str, Any], found: Type) -> None:
    assert type_of(schema) == found


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object", "properties": {"inside": {"type": "string"}}},
        {"type": ["string", "integer"]},
        {"minimum": 3},
        {"allOf": [BOX]},
    ],
)
def test_a_shape_that_no_client_knows_is_refused(schema: dict[str, Any]) -> None:
    with pytest.raises(UnknownSchema):
        type_of(schema)


def test_names_of_one_pattern_have_one_type() -> None:
    texts = {"type": "string"}
    assert type_of({"type": "object", "patternProperties": {"^a$": texts}}) == MapOf(
        Plain(Scalar.TEXT)
    )
    several = {"type": "object", "patternProperties": {"^a$": texts, "^b$": BOX}}
    assert type_of(several) == MapOf(Plain(Scalar.ANY))


def test_required_fields_come_first_and_the_order_stays() -> None:
    schema = {
        "type": "object",
        "required": ["d", "b"],
        "properties": {
            "a": {"type": "string", "default": "x", "description": "The first."},
            "b": {"type": "string"},
            "c": {"type": "integer"},
            "d": {"type": "string"},
        },
    }
    box = definition_of("Box", schema)
    assert isinstance(box, Record)
    assert [field.name for field in box.fields] == ["b", "d", "a", "c"]
    first = box.field("a")
    assert first is not None
    assert (first.required, first.default, first.description) == (False, "x", "The first.")
    assert box.field("e") is None


def test_a_union_with_a_discriminator_keeps_its_order() -> None:
    mapping = {"box": BOX["$ref"], "lid": LID["$ref"]}
    schema = {
        "anyOf": [LID, BOX],
        "discriminator": {"propertyName": "kind", "mapping": mapping},
    }
    found = definition_of("Thing", schema)
    assert found == Variants("Thing", "", "kind", (("lid", "Lid"), ("box", "Box")))


def test_an_enumeration_keeps_its_order() -> None:
    found = definition_of("Size", {"type": "string", "enum": ["small", "large"]})
    assert found == Enumeration("Size", "", ("small", "large"))


def test_what_is_no_object_is_no_definition() -> None:
    with pytest.raises(UnknownSchema):
        definition_of("Word", {"type": "string"})


def test_all_names_are_found() -> None:
    assert names_in({"a": [BOX, {"b": LID}], "c": {"$ref": BOX["$ref"]}}) == {"Box", "Lid"}

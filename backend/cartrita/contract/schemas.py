"""Reads JSON Schemas, as the server's documents hold them, into types and definitions."""

from typing import Any, Final, TypeAlias, cast

from cartrita.contract.model import (
    Constants,
    Definition,
    Enumeration,
    Field,
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

Schema: TypeAlias = dict[str, Any]

REF: Final = "#/components/schemas/"
_SCALARS: Final = {
    "integer": Scalar.INTEGER,
    "number": Scalar.NUMBER,
    "boolean": Scalar.BOOLEAN,
    "string": Scalar.TEXT,
}
_FORMATS: Final = {"date-time": Scalar.MOMENT, "uuid": Scalar.UUID, "binary": Scalar.BYTES}
_ANY: Final = Plain(Scalar.ANY)
_NULL: Final[Schema] = {"type": "null"}


class UnknownSchema(ValueError):
    """A schema of a shape that no client is written for: teach it to this module first."""


def referred(schema: Schema) -> str:
    """The name of the definition that a reference leads to."""
    return schema["$ref"].removeprefix(REF)


def type_of(schema: Schema) -> Type:
    """The type that a schema describes, without its limits. Raises UnknownSchema."""
    if "$ref" in schema:
        return Named(referred(schema))
    if "anyOf" in schema:
        return _choice(schema["anyOf"])
    if "enum" in schema:
        return Constants(tuple(schema["enum"]))
    if "const" in schema:
        return Constants((schema["const"],))
    return _by_kind(schema)


def _by_kind(schema: Schema) -> Type:
    match schema.get("type"):
        case None if not schema.keys() - {"description", "default"}:
            return _ANY
        case "string":
            return Plain(_FORMATS.get(schema.get("format", ""), Scalar.TEXT))
        case "array":
            return ListOf(type_of(schema.get("items", {})))
        case "object" if "properties" not in schema:
            return MapOf(_type_of_values(schema))
        case str() as kind if kind in _SCALARS:
            return Plain(_SCALARS[kind])
        case _:
            raise UnknownSchema(f"No type is known for {schema}.")


def _type_of_values(schema: Schema) -> Type:
    """What an object has under names that its schema does not tell, or tells by one pattern."""
    patterns = cast("dict[str, Schema]", schema.get("patternProperties", {}))
    named = next(iter(patterns.values())) if len(patterns) == 1 else True
    values = schema.get("additionalProperties", named)
    return type_of(cast("Schema", values)) if isinstance(values, dict) else _ANY


def _choice(schemas: list[Schema]) -> Type:
    options = tuple(type_of(each) for each in schemas if each != _NULL)
    found = options[0] if len(options) == 1 else OneOf(options)
    return OrNull(found) if _NULL in schemas else found


def fields_of(schema: Schema) -> tuple[Field, ...]:
    """The members of an object, the required ones first."""
    required = schema.get("required", ())
    found = [
        Field(
            name=name,
            type=type_of(inside),
            required=name in required,
            default=inside.get("default"),
            description=inside.get("description", ""),
        )
        for name, inside in schema.get("properties", {}).items()
    ]
    return tuple(sorted(found, key=lambda field: not field.required))


def definition_of(name: str, schema: Schema) -> Definition:
    """The definition that a named schema holds. Raises UnknownSchema."""
    described = schema.get("description", "")
    if "discriminator" in schema:
        tag = schema["discriminator"]
        members = {value: at.removeprefix(REF) for value, at in tag["mapping"].items()}
        ordered = [referred(each) for each in schema["anyOf"]]
        pairs = sorted(members.items(), key=lambda pair: ordered.index(pair[1]))
        return Variants(name, described, tag["propertyName"], tuple(pairs))
    if "enum" in schema:
        return Enumeration(name, described, tuple(schema["enum"]))
    if schema.get("type") == "object":
        return Record(name, described, fields_of(schema))
    raise UnknownSchema(f"No definition is known for {name}.")


def names_in(schema: object) -> set[str]:
    """The names of all definitions that a schema refers to."""
    if isinstance(schema, list):
        return {name for each in cast("list[object]", schema) for name in names_in(each)}
    if not isinstance(schema, dict):
        return set()
    members = cast("Schema", schema)
    found = {name for each in members.values() for name in names_in(each)}
    return found | {referred(members)} if "$ref" in members else found

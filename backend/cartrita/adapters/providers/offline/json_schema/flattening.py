"""Flattening of a JSON Schema: `$ref`, allOf, anyOf and oneOf become plain keywords.

A schema is untrusted input: any JSON is accepted, and the number of steps is limited.
"""

import math
from collections.abc import Iterator
from typing import Final, TypeAlias, cast
from urllib.parse import unquote

import msgspec

from cartrita.domain.json import JsonObject, JsonValue

Schema: TypeAlias = JsonObject

_MAX_STEPS = 5_000
_COMBINING_KEYWORDS: Final = frozenset({"$ref", "allOf", "anyOf", "oneOf", "$defs", "definitions"})
_INTERDEPENDENT_KEYWORDS: Final = frozenset(
    {"oneOf", "not", "if", "dependentRequired", "dependentSchemas", "dependencies", "maxProperties"}
)


class UnsatisfiableSchema(ValueError):
    """No value was found that the schema allows."""


class SchemaTooLarge(UnsatisfiableSchema):
    """The schema needs more steps or a larger value than is allowed."""


class FlatSchema(msgspec.Struct, frozen=True):
    """One alternative of a schema, without its combining keywords.

    `references` are those that were followed to get here; they stop recursion. `interdependent`
    says that its optional properties depend on each other.
    """

    keywords: Schema
    references: frozenset[str]
    interdependent: bool = False


class SchemaFlattener:
    """Flattens the schemas of one document, at most a fixed number of them."""

    def __init__(self, root: Schema) -> None:
        self._root = root
        self._steps_left = _MAX_STEPS

    def alternatives(
        self, schema: JsonValue, references: frozenset[str] = frozenset()
    ) -> Iterator[FlatSchema]:
        """Every alternative of a schema, in the order of its branches; `false` has none.

        Raises UnsatisfiableSchema for a reference that is dangling or recursive.
        """
        self._steps_left -= 1
        if self._steps_left < 0:
            raise SchemaTooLarge("it describes too large a value")
        if schema is False:
            return
        given = as_object(schema)
        own = {name: value for name, value in given.items() if name not in _COMBINING_KEYWORDS}
        start = FlatSchema(own, references, not _INTERDEPENDENT_KEYWORDS.isdisjoint(given))
        choices = [[part] for part in as_array(given.get("allOf"))]
        choices += [as_array(given[word]) for word in ("anyOf", "oneOf") if word in given]
        if "$ref" not in given:
            yield from self._combine(start, choices)
            return
        reference = str(given["$ref"])
        if reference in references:
            raise UnsatisfiableSchema(f"{reference} contains itself")
        start = msgspec.structs.replace(start, references=references | {reference})
        yield from self._combine(start, [[self._resolve(reference)], *choices])

    def _combine(self, flat: FlatSchema, choices: list[list[JsonValue]]) -> Iterator[FlatSchema]:
        if not choices:
            yield flat
            return
        for option in choices[0]:
            try:
                for branch in self.alternatives(option, flat.references):
                    yield from self._merge(flat, branch, choices[1:])
            except SchemaTooLarge:
                raise
            except UnsatisfiableSchema:
                if len(choices[0]) == 1:
                    raise

    def _merge(
        self, flat: FlatSchema, branch: FlatSchema, rest: list[list[JsonValue]]
    ) -> Iterator[FlatSchema]:
        keywords = _merge_keywords(flat.keywords, branch.keywords)
        if keywords is not None:
            interdependent = flat.interdependent or branch.interdependent
            yield from self._combine(FlatSchema(keywords, branch.references, interdependent), rest)

    def _resolve(self, reference: str) -> JsonValue:
        place, _, pointer = reference.partition("#")
        found: JsonValue = self._root
        if place or (pointer and not pointer.startswith("/")):
            raise UnsatisfiableSchema(f"{reference[:80]} is not in the schema")
        for step in unquote(pointer).split("/")[1:]:
            found = _child(found, step.replace("~1", "/").replace("~0", "~"))
        if not isinstance(found, dict | bool):
            raise UnsatisfiableSchema(f"{reference[:80]} is not in the schema")
        return found


def _child(value: JsonValue, step: str) -> JsonValue:
    if isinstance(value, list) and step.isdecimal() and int(step) < len(value):
        return as_array(value)[int(step)]
    return as_object(value).get(step)


def as_object(value: JsonValue) -> JsonObject:
    """The value if it is an object, else an empty one."""
    return cast("JsonObject", value) if isinstance(value, dict) else {}


def as_array(value: JsonValue) -> list[JsonValue]:
    """The value if it is an array, else an empty one."""
    return cast("list[JsonValue]", value) if isinstance(value, list) else []


def as_number(value: JsonValue) -> float | None:
    """The value if it is a finite number, else None."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        finite = float(value)
    except OverflowError:
        return None
    return finite if math.isfinite(finite) else None


def as_types(value: JsonValue) -> list[str]:
    """The value of a `type` keyword as a list."""
    return [value] if isinstance(value, str) else [str(one) for one in as_array(value)]


def _merge_keywords(one: Schema, other: Schema) -> Schema | None:
    """Keywords that satisfy both schemas; None if the two contradict each other."""
    try:
        shared = {
            name: _merge_keyword(name, one[name], other[name]) for name in one.keys() & other.keys()
        }
    except UnsatisfiableSchema:
        return None
    return {**one, **other, **shared}


def _merge_keyword(name: str, one: JsonValue, other: JsonValue) -> JsonValue:
    if name == "properties":
        return _merge_properties(as_object(one), as_object(other))
    if name == "required":
        return [*as_array(one), *as_array(other)]
    if name == "type":
        return _require_any(_common_types(as_types(one), as_types(other)))
    if name == "enum":
        return _require_any([value for value in as_array(one) if value in as_array(other)])
    if name in ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"):
        return max(one, other, key=_number_or_zero)
    if name in ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"):
        return min(one, other, key=_number_or_zero)
    if name in ("items", "additionalProperties", "contains"):
        return {"allOf": [one, other]}
    return one if name in ("pattern", "format") else other


def _require_any(values: list[JsonValue]) -> list[JsonValue]:
    if not values:
        raise UnsatisfiableSchema("two of its parts contradict each other")
    return values


def _merge_properties(one: JsonObject, other: JsonObject) -> JsonObject:
    both: JsonObject = {**one, **other}
    for name in one.keys() & other.keys():
        both[name] = {"allOf": [one[name], other[name]]}
    return both


def _common_types(one: list[str], other: list[str]) -> list[JsonValue]:
    common: list[JsonValue] = [kind for kind in one if kind in other]
    whole = "integer" in one + other and {"integer", "number"} <= {*one, *other}
    return common or (["integer"] if whole else [])


def _number_or_zero(value: JsonValue) -> float:
    return as_number(value) or 0.0

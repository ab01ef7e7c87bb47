"""Flattens a JSON Schema: references, allOf, anyOf and oneOf become plain keywords.

Schemas come from strangers: everything here takes any JSON, and stops at a budget.
"""

import math
from collections.abc import Iterator
from typing import Final, TypeAlias, cast
from urllib.parse import unquote

import msgspec

from cartrita.domain.json import JsonObject, JsonValue

Schema: TypeAlias = JsonObject

_BUDGET = 5_000
_COMBINING: Final = frozenset({"$ref", "allOf", "anyOf", "oneOf", "$defs", "definitions"})
_ENTANGLING: Final = frozenset(
    {"oneOf", "not", "if", "dependentRequired", "dependentSchemas", "dependencies", "maxProperties"}
)


class Unfillable(ValueError):
    """No value was found for a schema."""


class TooLarge(Unfillable):
    """The schema describes more than anybody wants to have made."""


class Flat(msgspec.Struct, frozen=True):
    """One way to read a schema without its combining keywords.

    `trail` are the references that led here, so that a schema cannot contain itself for ever;
    `entangled` says that its optional properties depend on each other.
    """

    keywords: Schema
    trail: frozenset[str]
    entangled: bool = False


class Schemas:
    """Reads the schemas of one document, until it has read too many."""

    def __init__(self, root: Schema) -> None:
        self._root = root
        self._left = _BUDGET

    def branches(self, schema: JsonValue, trail: frozenset[str] = frozenset()) -> Iterator[Flat]:
        """Every way to read a schema, the first branch first; `false` has none.

        Raises Unfillable for a reference that leads nowhere, or back to where it comes from.
        """
        self._left -= 1
        if self._left < 0:
            raise TooLarge("it describes too large a value")
        if schema is False:
            return
        given = objects(schema)
        own = {name: value for name, value in given.items() if name not in _COMBINING}
        start = Flat(own, trail, not _ENTANGLING.isdisjoint(given))
        choices = [[part] for part in items(given.get("allOf"))]
        choices += [items(given[word]) for word in ("anyOf", "oneOf") if word in given]
        if "$ref" not in given:
            yield from self._joined(start, choices)
            return
        reference = str(given["$ref"])
        if reference in trail:
            raise Unfillable(f"{reference} contains itself")
        start = msgspec.structs.replace(start, trail=trail | {reference})
        yield from self._joined(start, [[self._target(reference)], *choices])

    def _joined(self, flat: Flat, choices: list[list[JsonValue]]) -> Iterator[Flat]:
        if not choices:
            yield flat
            return
        for option in choices[0]:
            try:
                for branch in self.branches(option, flat.trail):
                    yield from self._with(flat, branch, choices[1:])
            except TooLarge:
                raise
            except Unfillable:
                if len(choices[0]) == 1:
                    raise

    def _with(self, flat: Flat, branch: Flat, rest: list[list[JsonValue]]) -> Iterator[Flat]:
        keywords = _both(flat.keywords, branch.keywords)
        if keywords is not None:
            entangled = flat.entangled or branch.entangled
            yield from self._joined(Flat(keywords, branch.trail, entangled), rest)

    def _target(self, reference: str) -> JsonValue:
        place, _, pointer = reference.partition("#")
        found: JsonValue = self._root
        if place or (pointer and not pointer.startswith("/")):
            raise Unfillable(f"{reference[:80]} is not in the schema")
        for step in unquote(pointer).split("/")[1:]:
            found = _within(found, step.replace("~1", "/").replace("~0", "~"))
        if not isinstance(found, dict | bool):
            raise Unfillable(f"{reference[:80]} is not in the schema")
        return found


def _within(value: JsonValue, step: str) -> JsonValue:
    if isinstance(value, list) and step.isdecimal() and int(step) < len(value):
        return items(value)[int(step)]
    return objects(value).get(step)


def objects(value: JsonValue) -> JsonObject:
    """An object as it is; anything else is an empty one."""
    return cast("JsonObject", value) if isinstance(value, dict) else {}


def items(value: JsonValue) -> list[JsonValue]:
    """A list as it is; anything else is an empty one."""
    return cast("list[JsonValue]", value) if isinstance(value, list) else []


def number(value: JsonValue) -> float | None:
    """A finite number, or None."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        finite = float(value)
    except OverflowError:
        return None
    return finite if math.isfinite(finite) else None


def types(value: JsonValue) -> list[str]:
    """The type keyword as a list."""
    return [value] if isinstance(value, str) else [str(one) for one in items(value)]


def _both(one: Schema, other: Schema) -> Schema | None:
    """What fits both; None where the two contradict each other."""
    try:
        shared = {
            name: _keyword(name, one[name], other[name]) for name in one.keys() & other.keys()
        }
    except Unfillable:
        return None
    return {**one, **other, **shared}


def _keyword(name: str, one: JsonValue, other: JsonValue) -> JsonValue:
    if name == "properties":
        return _properties(objects(one), objects(other))
    if name == "required":
        return [*items(one), *items(other)]
    if name == "type":
        return _some(_common_types(types(one), types(other)))
    if name == "enum":
        return _some([value for value in items(one) if value in items(other)])
    if name in ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"):
        return max(one, other, key=_size)
    if name in ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"):
        return min(one, other, key=_size)
    if name in ("items", "additionalProperties", "contains"):
        return {"allOf": [one, other]}
    return one if name in ("pattern", "format") else other


def _some(values: list[JsonValue]) -> list[JsonValue]:
    if not values:
        raise Unfillable("two of its parts contradict each other")
    return values


def _properties(one: JsonObject, other: JsonObject) -> JsonObject:
    both: JsonObject = {**one, **other}
    for name in one.keys() & other.keys():
        both[name] = {"allOf": [one[name], other[name]]}
    return both


def _common_types(one: list[str], other: list[str]) -> list[JsonValue]:
    common: list[JsonValue] = [kind for kind in one if kind in other]
    whole = "integer" in one + other and {"integer", "number"} <= {*one, *other}
    return common or (["integer"] if whole else [])


def _size(value: JsonValue) -> float:
    return number(value) or 0.0

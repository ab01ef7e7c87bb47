"""Example values that satisfy a JSON Schema, deterministic for the same schema and hints.

Required properties are filled, and optional ones too, unless they depend on each other: then an
additional one could make the value invalid. Supported are types, enum, const, bounds, lengths,
formats, simple patterns, nested and tuple arrays, local references, allOf, and the first branch of
anyOf and oneOf that has a value. `not`, `if` and remote references are ignored.
"""

import math
from collections.abc import Iterator
from contextlib import suppress
from fractions import Fraction
from typing import Final

import msgspec

from cartrita.adapters.providers.offline.json_schema.flattening import (
    FlatSchema,
    Schema,
    SchemaFlattener,
    UnsatisfiableSchema,
    as_array,
    as_number,
    as_object,
    as_types,
)
from cartrita.adapters.providers.offline.json_schema.regex_examples import generate_match
from cartrita.domain.json import JsonObject, JsonValue

_MAX_COUNT = 5_000
_FORMATS: Final = {
    "date-time": "2026-01-01T00:00:00Z",
    "date": "2026-01-01",
    "time": "00:00:00Z",
    "duration": "PT1S",
    "email": "someone@example.com",
    "idn-email": "someone@example.com",
    "hostname": "example.com",
    "idn-hostname": "example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "uri": "https://example.com/",
    "uri-reference": "https://example.com/",
    "iri": "https://example.com/",
    "iri-reference": "https://example.com/",
    "uri-template": "https://example.com/{id}",
    "uuid": "00000000-0000-4000-8000-000000000000",
    "json-pointer": "/a",
    "relative-json-pointer": "0",
    "regex": "a",
}


_TYPE_KEYWORDS: Final = {
    "object": frozenset({"properties", "required", "additionalProperties", "minProperties"}),
    "array": frozenset({"items", "prefixItems", "minItems", "contains"}),
    "number": frozenset({"minimum", "maximum", "multipleOf", "exclusiveMinimum"}),
}


class Hints(msgspec.Struct, frozen=True):
    """Values to prefer where the schema leaves the choice: each number and string is used once.

    When they are used up, numbers are those nearest to zero and strings are `text`.
    """

    numbers: tuple[float, ...] = ()
    strings: tuple[str, ...] = ()
    text: str = "offline"


def generate_example(schema: JsonObject, hints: Hints) -> JsonValue:
    """A value for a schema. Raises UnsatisfiableSchema if none is found."""
    try:
        return _Generator(schema, hints).value(schema)
    except RecursionError:
        raise UnsatisfiableSchema("it is nested too deeply") from None


class _Generator:
    """Generates one value, and uses up the hints as it goes."""

    def __init__(self, root: JsonObject, hints: Hints) -> None:
        self._schemas = SchemaFlattener(root)
        self._text = hints.text
        self._numbers: Iterator[float] = iter(hints.numbers)
        self._strings: Iterator[str] = iter(hints.strings)

    def value(
        self, schema: JsonValue, n: int = 0, references: frozenset[str] = frozenset()
    ) -> JsonValue:
        """The value number `n` of a schema; values of different `n` differ where possible."""
        problem = UnsatisfiableSchema("it allows no value")
        for flat in self._schemas.alternatives(schema, references):
            try:
                return self._generate(flat, n)
            except UnsatisfiableSchema as error:
                problem = error
        raise problem

    def _generate(self, flat: FlatSchema, n: int) -> JsonValue:
        schema = flat.keywords
        if "const" in schema:
            return schema["const"]
        if isinstance(schema.get("enum"), list):
            return self._option(as_array(schema["enum"]), n)
        type_name = _type(schema)
        if type_name == "object":
            return self._object(flat, n)
        if type_name == "array":
            return self._array(flat)
        if type_name in ("integer", "number"):
            return self._number(schema, n, whole=type_name == "integer")
        if type_name == "boolean":
            return n % 2 == 0
        return None if type_name == "null" else self._string(schema, n)

    def _option(self, options: list[JsonValue], n: int) -> JsonValue:
        if not options:
            raise UnsatisfiableSchema("an enum is empty")
        said = self._text.casefold()
        named = [one for one in options if isinstance(one, str) and one and one.casefold() in said]
        return named[0] if named and not n else options[n % len(options)]

    def _object(self, flat: FlatSchema, n: int) -> JsonObject:
        schema = flat.keywords
        properties = as_object(schema.get("properties"))
        rest = schema.get("additionalProperties", True)
        result: JsonObject = {}
        for name in as_array(schema.get("required")):
            if isinstance(name, str) and name not in result:
                result[name] = self.value(properties.get(name, rest), n, flat.references)
        if not flat.interdependent:
            self._add_optional(result, properties, flat, n)
        while len(result) < _count(schema, "minProperties"):
            result[f"extra_{len(result)}"] = self.value(rest, n, flat.references)
        return result

    def _add_optional(
        self, result: JsonObject, properties: JsonObject, flat: FlatSchema, n: int
    ) -> None:
        for name, schema in properties.items():
            if name not in result:
                with suppress(UnsatisfiableSchema):  # for example it contains itself
                    result[name] = self.value(schema, n, flat.references)

    def _array(self, flat: FlatSchema) -> list[JsonValue]:
        schema = flat.keywords
        first, rest = _items(schema)
        most, fewest = _count(schema, "maxItems", _MAX_COUNT), _count(schema, "minItems")
        result = [self.value(item, n, flat.references) for n, item in enumerate(first[:most])]
        if "contains" in schema:
            matches = range(_count(schema, "minContains", 1))
            result += [self.value(schema["contains"], n, flat.references) for n in matches]
        while len(result) < fewest:
            result.append(self.value(rest, len(result), flat.references))
        if not result and most:
            with suppress(UnsatisfiableSchema):  # an empty array is valid too
                result.append(self.value(rest, 0, flat.references))
        return result

    def _number(self, schema: Schema, n: int, *, whole: bool) -> JsonValue:
        step = _step(schema, whole=whole)
        low, high = _bounds(schema, step or 0.0)
        hint = next(self._numbers, None)
        fits = hint is not None and low <= hint <= high and _is_multiple(hint, step)
        value = hint if hint is not None and fits else _nearest_zero(low, high, step)
        if low <= value + n * (step or 1.0) <= high:
            value += n * (step or 1.0)
        return int(value) if float(value).is_integer() else value

    def _string(self, schema: Schema, n: int) -> str:
        low, high = _count(schema, "minLength"), _count(schema, "maxLength", _MAX_COUNT)
        if low > min(high, _MAX_COUNT):
            raise UnsatisfiableSchema("no text fits its lengths")
        if isinstance(pattern := schema.get("pattern"), str):
            return _matching_text(pattern, low)
        formatted = _FORMATS.get(str(schema.get("format")))
        if formatted is not None:
            return formatted
        text = next(self._strings, self._text)
        if n:
            text = f"{n + 1} {text}"
        return text[:high] + "." * (low - len(text))


def _type(schema: Schema) -> str:
    type_names = as_types(schema.get("type"))
    if type_names:
        return next((type_name for type_name in type_names if type_name != "null"), "null")
    for type_name, keywords in _TYPE_KEYWORDS.items():
        if not keywords.isdisjoint(schema):
            return type_name
    return "string"


def _count(schema: Schema, keyword: str, default: int = 0) -> int:
    value = as_number(schema.get(keyword))
    return default if value is None or value < 0 else int(value)


def _items(schema: Schema) -> tuple[list[JsonValue], JsonValue]:
    """Schemas of the first items, and of the rest; in older drafts `items` holds the former."""
    rest = schema.get("items", True)
    if isinstance(rest, list):
        return as_array(rest), schema.get("additionalItems", True)
    return as_array(schema.get("prefixItems")), rest


def _step(schema: Schema, *, whole: bool) -> float | None:
    """The distance between two allowed numbers; None if any number is allowed."""
    multiple = as_number(schema.get("multipleOf"))
    if multiple is None or multiple <= 0:
        return 1.0 if whole else None
    return float(Fraction(str(multiple)).numerator) if whole else multiple


def _bounds(schema: Schema, step: float) -> tuple[float, float]:
    """Lowest and highest value; an exclusive bound is moved inwards."""
    low, high = as_number(schema.get("minimum")), as_number(schema.get("maximum"))
    above, below = schema.get("exclusiveMinimum"), schema.get("exclusiveMaximum")
    over = low if above is True else as_number(above)  # true is how draft 4 says it
    under = high if below is True else as_number(below)
    inwards = step or (
        min(1.0, (under - over) / 4) if over is not None and under is not None else 1.0
    )
    lows = [-math.inf if low is None else low, -math.inf if over is None else over + inwards]
    highs = [math.inf if high is None else high, math.inf if under is None else under - inwards]
    return max(lows), min(highs)


def _nearest_zero(low: float, high: float, step: float | None) -> float:
    value = min(max(0.0, low), high)
    if step is not None:
        steps = value / step
        value = step * (math.ceil(steps - 1e-9) if value >= 0 else math.floor(steps + 1e-9))
        value = step * math.ceil(low / step - 1e-9) if value < low else value
    if not low <= value <= high:
        raise UnsatisfiableSchema("no number fits its bounds")
    return value


def _is_multiple(value: float, step: float | None) -> bool:
    return step is None or abs(value / step - round(value / step)) < 1e-9


def _matching_text(pattern: str, low: int) -> str:
    try:
        text = generate_match(pattern)
        return text if len(text) >= low else generate_match(pattern, low - len(text))
    except ValueError as error:
        raise UnsatisfiableSchema(str(error)) from None

"""Makes a JSON value that fits a JSON Schema, the same one for the same schema and material.

It fills what is required, and what is optional too unless the schema ties its properties together
(then more could be wrong than less). It knows types, enum, const, bounds, lengths, formats, simple
patterns, nested and tuple-like arrays, local references, allOf, and takes the first branch of anyOf
and oneOf that can be filled. `not`, `if` and remote references are passed over.
"""

import math
from collections.abc import Iterator
from contextlib import suppress
from fractions import Fraction
from typing import Final

import msgspec

from cartrita.adapters.providers.offline.merging import (
    Flat,
    Schema,
    Schemas,
    Unfillable,
    items,
    number,
    objects,
    types,
)
from cartrita.adapters.providers.offline.patterns import example
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


_TELLTALES: Final = {
    "object": frozenset({"properties", "required", "additionalProperties", "minProperties"}),
    "array": frozenset({"items", "prefixItems", "minItems", "contains"}),
    "number": frozenset({"minimum", "maximum", "multipleOf", "exclusiveMinimum"}),
}


class Material(msgspec.Struct, frozen=True):
    """What values are made of where the schema leaves the choice: each number and string once.

    When they are used up, numbers are the smallest allowed and strings are `text`.
    """

    numbers: tuple[float, ...] = ()
    strings: tuple[str, ...] = ()
    text: str = "offline"


def specimen(schema: JsonObject, material: Material) -> JsonValue:
    """A value for a schema. Raises Unfillable where it finds none."""
    try:
        return _Maker(schema, material).value(schema)
    except RecursionError:
        raise Unfillable("it is nested too deeply") from None


class _Maker:
    """Makes one value."""

    def __init__(self, root: JsonObject, material: Material) -> None:
        self._schemas = Schemas(root)
        self._text = material.text
        self._numbers: Iterator[float] = iter(material.numbers)
        self._strings: Iterator[str] = iter(material.strings)

    def value(
        self, schema: JsonValue, nth: int = 0, trail: frozenset[str] = frozenset()
    ) -> JsonValue:
        """The nth value for a schema: a later one differs where that is possible."""
        problem = Unfillable("it allows no value")
        for flat in self._schemas.branches(schema, trail):
            try:
                return self._one(flat, nth)
            except Unfillable as error:
                problem = error
        raise problem

    def _one(self, flat: Flat, nth: int) -> JsonValue:
        schema = flat.keywords
        if "const" in schema:
            return schema["const"]
        if isinstance(schema.get("enum"), list):
            return self._option(items(schema["enum"]), nth)
        kind = _kind(schema)
        if kind == "object":
            return self._object(flat, nth)
        if kind == "array":
            return self._array(flat)
        if kind in ("integer", "number"):
            return self._number(schema, nth, whole=kind == "integer")
        if kind == "boolean":
            return nth % 2 == 0
        return None if kind == "null" else self._string(schema, nth)

    def _option(self, options: list[JsonValue], nth: int) -> JsonValue:
        if not options:
            raise Unfillable("an enum is empty")
        said = self._text.casefold()
        named = [one for one in options if isinstance(one, str) and one and one.casefold() in said]
        return named[0] if named and not nth else options[nth % len(options)]

    def _object(self, flat: Flat, nth: int) -> JsonObject:
        schema = flat.keywords
        properties = objects(schema.get("properties"))
        rest = schema.get("additionalProperties", True)
        made: JsonObject = {}
        for name in items(schema.get("required")):
            if isinstance(name, str) and name not in made:
                made[name] = self.value(properties.get(name, rest), nth, flat.trail)
        if not flat.entangled:
            self._add_optional(made, properties, flat, nth)
        while len(made) < _count(schema, "minProperties"):
            made[f"extra_{len(made)}"] = self.value(rest, nth, flat.trail)
        return made

    def _add_optional(self, made: JsonObject, properties: JsonObject, flat: Flat, nth: int) -> None:
        for name, schema in properties.items():
            if name not in made:
                with suppress(Unfillable):  # a list of itself, for example: it may be left out
                    made[name] = self.value(schema, nth, flat.trail)

    def _array(self, flat: Flat) -> list[JsonValue]:
        schema = flat.keywords
        first, rest = _items(schema)
        most, fewest = _count(schema, "maxItems", _MAX_COUNT), _count(schema, "minItems")
        made = [self.value(item, nth, flat.trail) for nth, item in enumerate(first[:most])]
        if "contains" in schema:
            matches = range(_count(schema, "minContains", 1))
            made += [self.value(schema["contains"], nth, flat.trail) for nth in matches]
        while len(made) < fewest:
            made.append(self.value(rest, len(made), flat.trail))
        if not made and most:
            with suppress(Unfillable):  # none is needed
                made.append(self.value(rest, 0, flat.trail))
        return made

    def _number(self, schema: Schema, nth: int, *, whole: bool) -> JsonValue:
        step = _step(schema, whole=whole)
        low, high = _bounds(schema, step or 0.0)
        hint = next(self._numbers, None)
        fits = hint is not None and low <= hint <= high and _on_grid(hint, step)
        value = hint if hint is not None and fits else _nearest_zero(low, high, step)
        if low <= value + nth * (step or 1.0) <= high:
            value += nth * (step or 1.0)
        return int(value) if float(value).is_integer() else value

    def _string(self, schema: Schema, nth: int) -> str:
        low, high = _count(schema, "minLength"), _count(schema, "maxLength", _MAX_COUNT)
        if low > min(high, _MAX_COUNT):
            raise Unfillable("no text fits its lengths")
        if isinstance(pattern := schema.get("pattern"), str):
            return _matching(pattern, low)
        formatted = _FORMATS.get(str(schema.get("format")))
        if formatted is not None:
            return formatted
        text = next(self._strings, self._text)
        if nth:
            text = f"{nth + 1} {text}"
        return text[:high] + "." * (low - len(text))


def _kind(schema: Schema) -> str:
    kinds = types(schema.get("type"))
    if kinds:
        return next((kind for kind in kinds if kind != "null"), "null")
    for kind, keywords in _TELLTALES.items():
        if not keywords.isdisjoint(schema):
            return kind
    return "string"


def _count(schema: Schema, keyword: str, default: int = 0) -> int:
    value = number(schema.get(keyword))
    return default if value is None or value < 0 else int(value)


def _items(schema: Schema) -> tuple[list[JsonValue], JsonValue]:
    """Schemas of the first items, and of the others; in older drafts `items` is the former."""
    rest = schema.get("items", True)
    if isinstance(rest, list):
        return items(rest), schema.get("additionalItems", True)
    return items(schema.get("prefixItems")), rest


def _step(schema: Schema, *, whole: bool) -> float | None:
    """Between two allowed numbers; None where there is no grid."""
    multiple = number(schema.get("multipleOf"))
    if multiple is None or multiple <= 0:
        return 1.0 if whole else None
    return float(Fraction(str(multiple)).numerator) if whole else multiple


def _bounds(schema: Schema, step: float) -> tuple[float, float]:
    """Lowest and highest; what is excluded moves the bound inwards."""
    low, high = number(schema.get("minimum")), number(schema.get("maximum"))
    above, below = schema.get("exclusiveMinimum"), schema.get("exclusiveMaximum")
    over = low if above is True else number(above)  # true is how draft 4 says it
    under = high if below is True else number(below)
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
        raise Unfillable("no number fits its bounds")
    return value


def _on_grid(value: float, step: float | None) -> bool:
    return step is None or abs(value / step - round(value / step)) < 1e-9


def _matching(pattern: str, low: int) -> str:
    try:
        text = example(pattern)
        return text if len(text) >= low else example(pattern, low - len(text))
    except ValueError as error:
        raise Unfillable(str(error)) from None

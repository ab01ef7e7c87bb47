"""Checks of JSON values that compose: each takes a value and its path, and raises InvalidInput.

Paths, sentences and codes are OpenAI's, because programs read them. Nested fields that are not
known are accepted, as other servers of this API have fields of their own.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias, cast

from cartrita.dialects.openai_refusals import (
    check_bounds,
    missing,
    out_of_bounds,
    refusal,
    wrong_type,
)
from cartrita.domain.errors import InvalidInput
from cartrita.domain.json import JsonObject

Check: TypeAlias = Callable[[object, str], None]


def wrong_value(path: str, value: object, supported: Sequence[str]) -> InvalidInput:
    quoted = [f"'{name}'" for name in supported]
    listed = ", ".join(quoted[:-1]) + f"{',' * (len(quoted) > 2)} and " * (len(quoted) > 1)
    message = f"Invalid value: '{value}'. Supported values are: {listed}{quoted[-1]}."
    return refusal(path, message, "invalid_value")


def anything(value: object, path: str) -> None:
    """No check."""


def boolean(value: object, path: str) -> None:
    if not isinstance(value, bool):
        raise wrong_type(path, "a boolean", value)


def string(longest: int | None = None, pattern: str | None = None) -> Check:
    """Text of at most so many characters, the whole of which matches the pattern."""

    def check(value: object, path: str) -> None:
        if not isinstance(value, str):
            raise wrong_type(path, "a string", value)
        if longest is not None and len(value) > longest:
            raise out_of_bounds(
                path,
                f"string too long. Expected a string with maximum length {longest}, but got a "
                f"string with length {len(value)} instead.",
                "string_above_max_length",
            )
        if pattern is not None and not re.fullmatch(pattern, value):
            raise out_of_bounds(
                path,
                "string does not match pattern. Expected a string that matches the pattern "
                f"'^{pattern}$'.",
                "invalid_value",
            )

    return check


def integer(low: int | None = None, high: int | None = None) -> Check:
    """An integer within these limits."""

    def check(value: object, path: str) -> None:
        if isinstance(value, bool) or not isinstance(value, int):
            raise wrong_type(path, "an integer", value)
        check_bounds(value, path, "integer", low, high)

    return check


def decimal(low: int, high: int) -> Check:
    """A number within these limits."""

    def check(value: object, path: str) -> None:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise wrong_type(path, "a decimal", value)
        check_bounds(value, path, "decimal", low, high)

    return check


def choice(*supported: str) -> Check:
    """One of these words."""

    def check(value: object, path: str) -> None:
        if not isinstance(value, str):
            raise wrong_type(path, f"one of {', '.join(map(repr, supported))}", value)
        if value not in supported:
            raise wrong_value(path, value, supported)

    return check


def array(
    of: Check, at_least: int = 0, at_most: int | None = None, items: str = "objects"
) -> Check:
    """An array of so many elements that pass a check."""

    def check(value: object, path: str) -> None:
        if not isinstance(value, list):
            raise wrong_type(path, f"an array of {items}", value)
        elements = cast("list[object]", value)
        if len(elements) < at_least:
            raise out_of_bounds(
                path,
                f"empty array. Expected an array with minimum length {at_least}, but got an empty "
                "array instead.",
                "empty_array",
            )
        if at_most is not None and len(elements) > at_most:
            raise out_of_bounds(
                path,
                f"array too long. Expected an array with maximum length {at_most}, but got an "
                f"array with length {len(elements)} instead.",
                "array_above_max_length",
            )
        for index, element in enumerate(elements):
            of(element, f"{path}[{index}]")

    return check


def record(required: Mapping[str, Check], optional: Mapping[str, Check] | None = None) -> Check:
    """An object with these fields; what is not known is not checked."""
    known = {**required, **(optional or {})}

    def check(value: object, path: str) -> None:
        fields = mapping(value, path)
        for name in required:
            if name not in fields:
                raise missing(f"{path}.{name}")
        for name, field in fields.items():
            known.get(name, anything)(field, f"{path}.{name}")

    return check


def table(of: Check, at_most: int | None = None) -> Check:
    """An object with at most so many fields of any names, whose values pass a check."""

    def check(value: object, path: str) -> None:
        fields = mapping(value, path)
        if at_most is not None and len(fields) > at_most:
            raise out_of_bounds(
                path,
                f"too many properties. Expected an object with at most {at_most} properties, but "
                f"got an object with {len(fields)} properties instead.",
                "object_above_max_properties",
            )
        for name, field in fields.items():
            of(field, f"{path}.{name}")

    return check


def tagged(variants: Mapping[str, Check], tag: str = "type") -> Check:
    """An object whose field `tag` says which of the checks it must pass."""

    def check(value: object, path: str) -> None:
        fields = mapping(value, path)
        if tag not in fields:
            raise missing(f"{path}.{tag}")
        choice(*variants)(fields[tag], f"{path}.{tag}")
        variants[cast("str", fields[tag])](value, path)

    return check


def nullable(of: Check) -> Check:
    """Null, or what passes a check."""

    def check(value: object, path: str) -> None:
        if value is not None:
            of(value, path)

    return check


def either(expected: str, variants: Mapping[type, Check]) -> Check:
    """A value of one of several kinds, each with its own check."""

    def check(value: object, path: str) -> None:
        if type(value) not in variants:
            raise wrong_type(path, expected, value)
        variants[type(value)](value, path)

    return check


def mapping(value: object, path: str) -> JsonObject:
    """The value as an object."""
    if not isinstance(value, dict):
        raise wrong_type(path, "an object", value)
    return cast("JsonObject", value)

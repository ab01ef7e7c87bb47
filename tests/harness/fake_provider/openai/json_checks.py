"""Checks of JSON values that compose: each takes a value and its path, and raises a Refusal."""

import re
from collections.abc import Callable, Mapping
from typing import cast

from tests.harness.fake_provider.openai import errors

Check = Callable[[object, str], None]


def boolean(value: object, path: str) -> None:
    if not isinstance(value, bool):
        raise errors.wrong_type(path, "a boolean", value)


def anything(value: object, path: str) -> None:
    """For what the vendor hands on without looking."""


def string(longest: int | None = None, pattern: str | None = None) -> Check:
    def check(value: object, path: str) -> None:
        if not isinstance(value, str):
            raise errors.wrong_type(path, "a string", value)
        if longest is not None and len(value) > longest:
            raise errors.out_of_bounds(
                path,
                f"string too long. Expected a string with maximum length {longest}, but got a "
                f"string with length {len(value)} instead.",
                "string_above_max_length",
            )
        if pattern is not None and not re.fullmatch(pattern, value):
            raise errors.out_of_bounds(
                path,
                "string does not match pattern. Expected a string that matches the pattern "
                f"'^{pattern}$'.",
                "invalid_value",
            )

    return check


def integer(low: int | None = None, high: int | None = None) -> Check:
    def check(value: object, path: str) -> None:
        if isinstance(value, bool) or not isinstance(value, int):
            raise errors.wrong_type(path, "an integer", value)
        _bound(value, path, "integer", low, high)

    return check


def decimal(low: int, high: int) -> Check:
    def check(value: object, path: str) -> None:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise errors.wrong_type(path, "a decimal", value)
        _bound(value, path, "decimal", low, high)

    return check


def choice(*supported: str) -> Check:
    def check(value: object, path: str) -> None:
        if not isinstance(value, str):
            raise errors.wrong_type(path, f"one of {', '.join(map(repr, supported))}", value)
        if value not in supported:
            raise errors.wrong_value(path, value, supported)

    return check


def array(
    of: Check, at_least: int = 0, at_most: int | None = None, items: str = "objects"
) -> Check:
    def check(value: object, path: str) -> None:
        if not isinstance(value, list):
            raise errors.wrong_type(path, f"an array of {items}", value)
        elements = cast("list[object]", value)
        if len(elements) < at_least:
            raise errors.out_of_bounds(
                path,
                f"empty array. Expected an array with minimum length {at_least}, but got an empty "
                "array instead.",
                "empty_array",
            )
        if at_most is not None and len(elements) > at_most:
            raise errors.out_of_bounds(
                path,
                f"array too long. Expected an array with maximum length {at_most}, but got an "
                f"array with length {len(elements)} instead.",
                "array_above_max_length",
            )
        for index, element in enumerate(elements):
            of(element, f"{path}[{index}]")

    return check


def record(required: Mapping[str, Check], optional: Mapping[str, Check] | None = None) -> Check:
    """An object with these fields and no others."""
    known = {**required, **(optional or {})}

    def check(value: object, path: str) -> None:
        fields = mapping(value, path)
        for name in required:
            if name not in fields:
                raise errors.missing(f"{path}.{name}")
        for name, field in fields.items():
            if name not in known:
                raise errors.unknown(f"{path}.{name}")
            known[name](field, f"{path}.{name}")

    return check


def table(of: Check, at_most: int | None = None) -> Check:
    """An object with any names, whose values are checked."""

    def check(value: object, path: str) -> None:
        fields = mapping(value, path)
        if at_most is not None and len(fields) > at_most:
            raise errors.out_of_bounds(
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
            raise errors.missing(f"{path}.{tag}")
        choice(*variants)(fields[tag], f"{path}.{tag}")
        variants[cast("str", fields[tag])](value, path)

    return check


def nullable(of: Check) -> Check:
    def check(value: object, path: str) -> None:
        if value is not None:
            of(value, path)

    return check


def either(expected: str, variants: Mapping[type, Check]) -> Check:
    """A value of one of several kinds, each with its own check."""

    def check(value: object, path: str) -> None:
        if type(value) not in variants:
            raise errors.wrong_type(path, expected, value)
        variants[type(value)](value, path)

    return check


def mapping(value: object, path: str) -> dict[str, object]:
    if not isinstance(value, dict):
        raise errors.wrong_type(path, "an object", value)
    return cast("dict[str, object]", value)


def _bound(value: float, path: str, kind: str, low: int | None, high: int | None) -> None:
    if low is not None and value < low:
        raise errors.out_of_bounds(
            path,
            f"{kind} below minimum value. Expected a value >= {low}, but got {value} instead.",
            f"{kind}_below_min_value",
        )
    if high is not None and value > high:
        raise errors.out_of_bounds(
            path,
            f"{kind} above maximum value. Expected a value <= {high}, but got {value} instead.",
            f"{kind}_above_max_value",
        )

"""Checks JSON against the shapes of requests that the official SDKs type, in a vendor's words.

A shape is the name of a kind (`string`, `integer`, `number`, `boolean`, `null`, `any`), or it is an
object with one of these fields: `enum` (the values), `array` (the shape of its elements), `table`
(that of all its fields), `ref` (the name of a type, which has its fields and no others), `any_of`.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, cast

import msgspec
from tests.harness.fake_provider.refusal import Refusal

Json = dict[str, object]
Shape = Any
Rule = Callable[[Any, str], None]
"""What types cannot say of a value at its path; raises the Refusal."""

_FOLDER = Path(__file__).parent / "shapes"
_KINDS: dict[type, str] = {
    str: "string",
    bool: "boolean",
    int: "integer",
    float: "number",
    type(None): "null",
    list: "array",
    dict: "object",
}
_TAGS = ("type", "role")
_NONE: Mapping[str, Json] = {}


class Words(Protocol):
    """How one vendor names the place of a value, and refuses it."""

    def field(self, path: str, name: str) -> str: ...

    def element(self, path: str, index: int) -> str: ...

    def variant(self, path: str, tag: str) -> str:
        """The path of an object, once its type is known to be this of several."""
        ...

    def missing(self, path: str) -> Refusal: ...

    def unknown(self, path: str) -> Refusal: ...

    def wrong_type(self, path: str, kinds: Sequence[str], value: object) -> Refusal:
        """`kinds` are `string` and the like, `array of objects`, or a quoted value."""
        ...

    def wrong_value(self, path: str, value: object, supported: Sequence[str]) -> Refusal: ...

    def wrong_tag(
        self, path: str, tag: str, value: object, supported: Sequence[str]
    ) -> Refusal: ...


class Shapes:
    """The shapes in one file, which values are checked against.

    `rules` are by place: `messages[].content` is the content of each message. `beyond` has types,
    or single fields and what is required of types, as the vendor takes them and the SDK does not.
    """

    def __init__(
        self, name: str, words: Words, rules: Mapping[str, Rule], beyond: Mapping[str, Json] = _NONE
    ) -> None:
        self._types: dict[str, Any] = msgspec.json.decode((_FOLDER / f"{name}.json").read_bytes())
        for changed, change in beyond.items():
            known = self._types.get(changed, {"fields": {}, "required": []})
            fields = known["fields"] | change.get("fields", {})
            self._types[changed] = known | change | {"fields": fields}
        self._words = words
        self._rules = rules

    def fields(self, name: str) -> Sequence[str]:
        """The names of the fields of a type."""
        return list(self._types[name]["fields"])

    def check(self, name: str, value: object) -> None:
        """Raise the Refusal of a value that is not of this type, or breaks a rule."""
        self._check({"ref": name}, value, "", "")

    def _check(self, shape: Shape, value: object, path: str, place: str) -> None:
        candidates = self._candidates(shape, value, path)
        refusals: list[Refusal] = []
        for each in candidates:
            try:
                self._check_inside(each, value, path, place)
                break
            except Refusal as refusal:
                refusals.append(refusal)
        else:
            if refusals:
                raise refusals[0]
        if place in self._rules:
            self._rules[place](value, path)

    def _candidates(self, shape: Shape, value: object, path: str) -> list[Shape]:
        """The alternatives that a value may be of; none where it needs no look inside."""
        options = _alternatives(shape)
        if "any" in options:
            return []
        kind = _KINDS[type(value)]
        fitting = [each for each in options if kind in _kinds(each)]
        if not fitting:
            raise self._refusal(options, value, path)
        if kind == "object":
            return self._of_tag(fitting, cast("Json", value), path)
        if kind == "array":
            return fitting
        if not any(isinstance(each, str) for each in fitting):
            allowed = [one for each in fitting for one in each["enum"]]
            if value not in allowed:
                raise self._words.wrong_value(path, value, allowed)
        return []

    def _of_tag(self, options: list[Shape], value: Json, path: str) -> list[Shape]:
        """The types of objects that have the tag of a value, of those that tags tell apart."""
        for tag in _TAGS:
            tags = [self._tag(each, tag) for each in options]
            if not any(tags):
                continue
            if tag not in value:
                options = [each for each in options if not self._requires(each, tag)]
                if not options:
                    raise self._words.missing(self._words.field(path, tag))
                continue
            fitting = [
                each
                for each, own in zip(options, tags, strict=True)
                if value[tag] in own
                or "table" in each
                or (not own and tag in self._fields_of(each))
            ]
            if not fitting:
                supported = [
                    str(one) for one in dict.fromkeys(x for own in tags for x in own) if one
                ]
                raise self._words.wrong_tag(path, tag, value[tag], supported)
            options = fitting
        return options

    def _check_inside(self, shape: Shape, value: Any, path: str, place: str) -> None:
        words = self._words
        if "array" in shape:
            for index, element in enumerate(cast("list[object]", value)):
                self._check(shape["array"], element, words.element(path, index), f"{place}[]")
        elif "table" in shape:
            for name, field in cast("Json", value).items():
                self._check(shape["table"], field, words.field(path, name), f"{place}.*")
        else:
            self._check_object(self._types[shape["ref"]], cast("Json", value), path, place)

    def _check_object(self, type_: Json, value: Json, path: str, place: str) -> None:
        words = self._words
        fields = cast("dict[str, Shape]", type_["fields"])
        tags = _values(fields.get("type"))
        if tags and path:
            path = words.variant(path, str(value.get("type") or tags[0]))
        for name in fields:
            if name in cast("list[str]", type_["required"]) and name not in value:
                raise words.missing(words.field(path, name))
        for name, field in value.items():
            if name not in fields:
                raise words.unknown(words.field(path, name))
            below = f"{place}.{name}" if place else name
            self._check(fields[name], field, words.field(path, name), below)

    def _refusal(self, options: list[Shape], value: object, path: str) -> Refusal:
        enums = [one for each in options if isinstance(each, dict) for one in each.get("enum", ())]
        if isinstance(value, str) and enums:
            return self._words.wrong_value(path, value, enums)
        named = [self._named(each) for each in options]
        kinds = [*named, *(repr(one) for one in enums)]
        unique = [one for one in dict.fromkeys(kinds) if one not in ("", "null")]
        return self._words.wrong_type(path, unique, value)

    def _named(self, shape: Shape) -> str:
        if isinstance(shape, str):
            return shape
        if "array" in shape:
            inside = sorted(
                {kind for each in _alternatives(shape["array"]) for kind in _kinds(each)}
            )
            return f"array of {inside[-1]}s"
        return "" if "enum" in shape else "object"

    def _tag(self, shape: Shape, tag: str) -> Sequence[object]:
        return _values(self._fields_of(shape).get(tag))

    def _requires(self, shape: Shape, tag: str) -> bool:
        return "ref" in shape and tag in self._types[shape["ref"]]["required"]

    def _fields_of(self, shape: Shape) -> dict[str, Shape]:
        return self._types[shape["ref"]]["fields"] if "ref" in shape else {}


def _alternatives(shape: Shape) -> list[Shape]:
    return shape["any_of"] if isinstance(shape, dict) and "any_of" in shape else [shape]


def _kinds(shape: Shape) -> tuple[str, ...]:
    if isinstance(shape, str):
        return ("integer", "number") if shape == "number" else (shape,)
    if "enum" in shape:
        return tuple({_KINDS[type(each)] for each in shape["enum"]})
    return ("array",) if "array" in shape else ("object",)


def _values(shape: Shape) -> Sequence[object]:
    """The values of a tag, null among them where it may be null."""
    options = [] if shape is None else _alternatives(shape)
    listed = [one for each in options if isinstance(each, dict) for one in each.get("enum", ())]
    return [*listed, None] if listed and "null" in options else listed

"""Examples in the contract, made of its schemas and of the values in `contract_texts.toml`."""

from collections.abc import Iterable
from typing import Any, Final, TypeAlias

from cartrita.surfaces.native.contract_texts import (
    ContractTexts,
    contract_texts,
    operations_of,
    text_of,
)
from cartrita.surfaces.native.public_names import REF

Schema: TypeAlias = dict[str, Any]

_MOMENT: Final = "2026-11-21T06:20:14.173236Z"
_BY_TYPE: Final[dict[str, Any]] = {
    "integer": 1,
    "number": 0.5,
    "boolean": True,
    "object": {},
    "null": None,
}


class MissingExample(KeyError):
    """A text that has no example: give it one in `contract_texts.toml`."""


class Examples:
    """Makes examples of the named schemas of a document."""

    def __init__(self, schemas: Schema, texts: ContractTexts) -> None:
        self._schemas = schemas
        self._texts = texts

    def of_schema(self, name: str) -> Any:  # noqa: ANN401 - any JSON
        """One example: what is required, and what has a value of its own in the table."""
        schema = self._schemas[name]
        if "properties" not in schema:
            return self._of_value(name, name, schema)
        required = schema.get("required", ())
        return {
            field: self.of_field(name, field, inside)
            for field, inside in schema["properties"].items()
            if field in required or self._has_own(name, field, inside)
        }

    def of_field(self, owner: str, field: str, schema: Schema) -> Any:  # noqa: ANN401 - any JSON
        """One example of a field, or of a parameter. Raises MissingExample."""
        named = f"{owner}.{field}"
        if named in self._texts.nulls or field in self._texts.nulls:
            return None
        if named in self._texts.examples:
            return self._texts.examples[named]
        return self._of_value(owner, field, schema)

    def _has_own(self, owner: str, field: str, schema: Schema) -> bool:
        return "examples" in schema or f"{owner}.{field}" in self._texts.examples

    def _of_value(self, owner: str, field: str, schema: Schema) -> Any:  # noqa: ANN401 - any JSON
        match schema:
            case {"examples": [first, *_]}:
                return first
            case {"$ref": reference}:
                return self.of_schema(reference.removeprefix(REF))
            case {"const": value} | {"enum": [value, *_]}:
                return value
            case {"format": "date-time"}:
                return _MOMENT
            case {"anyOf": [first, *_]}:
                return self._of_value(owner, field, first)
            case _:
                return self._of_type(owner, field, schema)

    def _of_type(self, owner: str, field: str, schema: Schema) -> Any:  # noqa: ANN401 - any JSON
        told = text_of(self._texts.examples, owner, field)
        match schema.get("type"):
            case "array" if "$ref" in schema["items"] or told is None:
                return [self._of_value(owner, field, schema["items"])]
            case str() as kind if kind in _BY_TYPE and told is None:
                return _BY_TYPE[kind]
            case _:
                if told is None:
                    raise MissingExample(f"{owner}.{field}")
                return told


def add_examples(schemas: Schema, names: Iterable[str]) -> None:
    """Give each of these schemas an example."""
    made = Examples(schemas, contract_texts())
    found = {name: made.of_schema(name) for name in sorted(set(names))}
    for name, example in found.items():
        schemas[name]["examples"] = [example]


def add_parameter_examples(document: Schema) -> None:
    """Give an example to each parameter of a path, and to those that must be given."""
    made = Examples(document["components"]["schemas"], contract_texts())
    for operation in operations_of(document):
        for one in operation.get("parameters", ()):
            if one["required"] and "schema" in one and not operation.get("x-client"):
                one["example"] = made.of_field(operation["operationId"], one["name"], one["schema"])


def exemplified(document: Schema) -> set[str]:
    """The names of all that a document's operations are sent, and answer."""
    found = {"ErrorBody", "InvalidBody"}
    for operation in operations_of(document):
        if operation.get("x-client") != "none":
            for part in (operation.get("requestBody", {}), *operation["responses"].values()):
                found |= set(_named(part))
    return found - {"ServerSentEvent"}


def frames_of(schemas: Schema) -> set[str]:
    """The names of the frames of all events."""
    mapping: dict[str, str] = schemas["ChatEvent"]["discriminator"]["mapping"]
    return {reference.removeprefix(REF) for reference in mapping.values()}


def _named(part: Schema) -> Iterable[str]:
    for content in part.get("content", {}).values():
        schema = content.get("schema", {})
        for one in schema.get("anyOf", [schema]):
            if "$ref" in one:
                yield one["$ref"].removeprefix(REF)

"""Descriptions for what does not describe itself in the contract, from `contract_texts.toml`."""

import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Any, TypeAlias

import msgspec

Schema: TypeAlias = dict[str, Any]

_PAGE = "One page; `next_cursor` requests the next one and is null on the last."


class ContractTexts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file: `fields` and `examples` by a field's name, or by that after its schema's."""

    schemas: dict[str, str]
    fields: dict[str, str]
    examples: dict[str, Any]
    nulls: frozenset[str]


@cache
def contract_texts() -> ContractTexts:
    """The texts that come with the program."""
    text = files("cartrita.surfaces.native").joinpath("contract_texts.toml").read_text("utf-8")
    return msgspec.convert(tomllib.loads(text), ContractTexts)


def describe_schemas(schemas: Schema) -> None:
    """Describe the schemas that say nothing, and their fields."""
    texts = contract_texts()
    for name, schema in schemas.items():
        if "description" not in schema:
            page = "next_cursor" in schema.get("properties", {})
            _describe(schema, _PAGE if page else texts.schemas.get(name))
        for field, inside in schema.get("properties", {}).items():
            _describe(inside, text_of(texts.fields, name, field))


def describe_parameters(document: Schema) -> None:
    """Describe the parameters of operations, and the fields of forms, that say nothing."""
    texts = contract_texts().fields
    for operation in operations_of(document):
        for parameter in operation.get("parameters", ()):
            if "description" not in parameter.get("schema", {}):
                _describe(parameter, text_of(texts, operation["operationId"], parameter["name"]))
        for name, field in _form_of(operation).items():
            _describe(field, text_of(texts, operation["operationId"], name))


def operations_of(document: Schema) -> Iterator[Schema]:
    """All operations of an OpenAPI document."""
    for methods in document["paths"].values():
        yield from methods.values()


def text_of(table: dict[str, Any], owner: str, field: str) -> Any:  # noqa: ANN401 - examples are any JSON
    """What a table has for a field of this owner, or of any; None if it has nothing."""
    return table.get(f"{owner}.{field}", table.get(field))


def _form_of(operation: Schema) -> Schema:
    content = operation.get("requestBody", {}).get("content", {}).get("multipart/form-data", {})
    return content.get("schema", {}).get("properties", {})


def _describe(part: Schema, text: str | None) -> None:
    if text is not None:
        part.setdefault("description", text)

"""Reads one operation of openapi.json into a method of the clients."""

from collections.abc import Iterator
from typing import Any, Final

from cartrita.contract.model import (
    Body,
    BodyFormat,
    Named,
    OneOf,
    Operation,
    Parameter,
    Place,
    Plain,
    ProviderKey,
    Repetition,
    Scalar,
    Streaming,
    Type,
)
from cartrita.contract.schemas import Schema, fields_of, referred, type_of

_JSON: Final = "application/json"
_FORM: Final = "multipart/form-data"
_STREAM: Final = "text/event-stream"
_REPETITIONS: Final = {"always": Repetition.SAFE, "key": Repetition.WITH_KEY}


def operation_of(path: str, method: str, described: Schema, schemas: Schema) -> Operation:
    """The operation that is described at a path. Raises UnknownSchema."""
    parameters: list[Schema] = described.get("parameters", [])
    provider = described.get("x-provider")
    item = described.get("x-page")
    return Operation(
        id=described["operationId"],
        method=method.upper(),
        path=path,
        summary=described["summary"],
        description=described["description"],
        group=described["tags"][0],
        path_parameters=tuple(_parameters(parameters, Place.PATH)),
        query=tuple(_parameters(parameters, Place.QUERY)),
        body=_body(described.get("requestBody"), schemas),
        answer=_answer(described["responses"]),
        streaming=Streaming(described.get("x-stream", Streaming.NEVER)),
        item=Named(item) if item else None,
        repetition=_REPETITIONS.get(described.get("x-idempotent", ""), Repetition.UNSAFE),
        resumable=any(one["name"] == "Last-Event-ID" for one in parameters),
        provider=ProviderKey(provider.get("default"), provider.get("field")) if provider else None,
        authenticated=bool(described["security"]),
        error_statuses=tuple(int(one) for one in described["responses"] if one >= "400"),
    )


def sent_schemas(described: Schema) -> Iterator[Schema]:
    """The schemas of what an operation is sent."""
    yield from (one["schema"] for one in described.get("parameters", ()) if "schema" in one)
    for content in described.get("requestBody", {}).get("content", {}).values():
        yield content["schema"]


def received_schemas(described: Schema) -> Iterator[Schema]:
    """The schemas of what an operation answers when all is well."""
    for status, response in described["responses"].items():
        content = response.get("content", {}).get(_JSON)
        if status < "300" and content:
            yield content["schema"]


def _parameters(described: list[Schema], place: Place) -> Iterator[Parameter]:
    for one in described:
        if one["in"] == place:
            schema: Schema = one["schema"]
            yield Parameter(
                name=one["name"],
                place=place,
                type=type_of(schema),
                required=one["required"],
                default=schema.get("default"),
                description=one.get("description", schema.get("description", "")),
            )


def _body(described: Schema | None, schemas: Schema) -> Body | None:
    if described is None:
        return None
    content = described["content"]
    if _FORM in content:
        return Body(BodyFormat.FORM, fields_of(content[_FORM]["schema"]), described["required"])
    record = referred(content[_JSON]["schema"])
    return Body(BodyFormat.JSON, fields_of(schemas[record]), described["required"], record)


def _answer(responses: dict[str, Any]) -> Type | None:
    """The union of what the statuses of success answer; BYTES for what is no JSON."""
    contents = [one.get("content", {}) for status, one in responses.items() if status < "300"]
    kinds = {kind for content in contents for kind in content} - {_STREAM}
    if not kinds:
        return None
    if kinds != {_JSON}:
        return Plain(Scalar.BYTES)
    found = [type_of(content[_JSON]["schema"]) for content in contents if _JSON in content]
    options = dict.fromkeys(
        option
        for each in found
        for option in (each.options if isinstance(each, OneOf) else (each,))
    )
    return OneOf(tuple(options)) if len(options) > 1 else found[0]

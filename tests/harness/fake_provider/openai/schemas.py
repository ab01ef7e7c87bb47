"""The JSON Schemas of functions and structured answers, as strict as OpenAI is with them."""

from collections.abc import Iterator
from typing import cast

from tests.harness.fake_provider.openai import errors

Json = dict[str, object]
_TYPES = ("object", "array", "string", "number", "integer", "boolean", "null")


def check_function(function: Json, path: str) -> None:
    """Raise the Refusal of a function's parameters that are no schema of an object."""
    schema = function.get("parameters")
    if isinstance(schema, dict):
        said = f"function '{function['name']}'"
        strict = bool(function.get("strict"))
        _check(cast("Json", schema), said, strict, f"{path}.parameters", "function_parameters")


def check_format(form: Json, path: str) -> None:
    """Raise the Refusal of an answer's schema."""
    schema = form.get("schema")
    if isinstance(schema, dict):
        said = f"response_format '{form['name']}'"
        _check(cast("Json", schema), said, bool(form.get("strict")), path, "json_schema")


def _check(schema: Json, said: str, strict: bool, path: str, what: str) -> None:
    def refuse(message: str) -> errors.OpenAIRefusal:
        return errors.OpenAIRefusal(
            f"Invalid schema for {said}: {message}", param=path, code=f"invalid_{what}"
        )

    kind = schema.get("type", None if strict else "object")
    if kind != "object":
        shown = f"'type: \"{kind}\"'"
        raise refuse(f"schema must be a JSON Schema of 'type: \"object\"', got {shown}.")
    for context, each in _schemas(schema, ()):
        if (wrong := _wrong_type(each)) is not None:
            raise refuse(f"{wrong!r} is not valid under any of the given schemas.")
        if strict and each.get("type") == "object":
            where = f"In context={context!r}, "
            if each.get("additionalProperties") is not False:
                raise refuse(
                    f"{where}'additionalProperties' is required to be supplied and to be false."
                )
            properties = cast("Json", each.get("properties") or {})
            if lacking := set(properties) - set(cast("list[str]", each.get("required") or [])):
                raise refuse(
                    f"{where}'required' is required to be supplied and to be an array including "
                    f"every key in properties. Missing '{min(lacking)}'."
                )


def _wrong_type(schema: Json) -> object:
    kind = schema.get("type")
    kinds = cast("list[object]", kind) if isinstance(kind, list) else [kind]
    return next((each for each in kinds if each is not None and each not in _TYPES), None)


def _schemas(schema: object, context: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Json]]:
    """The schema and those inside it, each with the way there."""
    if not isinstance(schema, dict):
        return
    fields = cast("Json", schema)
    yield context, fields
    for name in ("properties", "$defs", "definitions"):
        inner = fields.get(name)
        for key, each in cast("Json", inner if isinstance(inner, dict) else {}).items():
            yield from _schemas(each, (*context, name, key))
    yield from _schemas(fields.get("items"), (*context, "items"))
    for name in ("anyOf", "oneOf", "allOf"):
        options = fields.get(name)
        for index, each in enumerate(cast("list[object]", options or [])):
            yield from _schemas(each, (*context, name, str(index)))

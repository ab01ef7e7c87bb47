"""Puts a request together from what a method was given."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, cast

from pydantic_core import to_json, to_jsonable_python

from cartrita_client.addresses import fill
from cartrita_client.forms import Form
from cartrita_client.operations import Call, Given, Operation
from cartrita_client.settings import Settings


def call_of(settings: Settings, operation: Operation, given: Given) -> Call:
    """The request. Raises UnreadableFile, and ValueError for what no request can hold."""
    body = None if given.body is None else _present(given.body)
    form = _form(body or {}, given) if given.files else None
    return Call(
        operation,
        fill(operation.path, given.path),
        tuple(_query(given.query)),
        _headers(settings, operation, given),
        None if body is None or form is not None else to_json(body, exclude_none=True),
        form,
        given.timeout,
    )


def following(given: Given, cursor: str | None) -> Given:
    """The same for the page behind a cursor."""
    return given if cursor is None else replace(given, query={**given.query, "cursor": cursor})


def _headers(settings: Settings, operation: Operation, given: Given) -> dict[str, str]:
    chosen = (given.body or {}).get("provider") or given.query.get("provider")
    headers = {name: value for name, value in given.headers.items() if value is not None}
    if key := settings.keys.key_for(operation, chosen):
        headers["X-API-Key"] = key
    if operation.unsafe:
        headers["Idempotency-Key"] = given.idempotency_key or f"client-{secrets.token_hex(16)}"
    return headers


def _form(body: Mapping[str, Any], given: Given) -> Form:
    fields = [(name, _text(value)) for name, value in body.items()]
    return Form.of(fields, given.files, given.progress)


def _query(given: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    for name, value in _present(given).items():
        yield name, _text(value)


def _text(value: object) -> str:
    """A value as a query or a form has it: lists are separated by commas, objects are JSON."""
    plain = to_jsonable_python(value)
    if isinstance(plain, str):
        return plain
    if isinstance(plain, list):
        return ",".join(map(_text, cast("list[object]", plain)))
    return to_json(plain).decode()


def _present(given: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in given.items() if value is not None}

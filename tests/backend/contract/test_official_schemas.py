"""Both documents are valid by the official schemas of their formats."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator, Draft202012Validator

from cartrita.app import openapi_document, websocket_document

OFFICIAL = Path(__file__).parent / "official"
OPENAPI = Draft202012Validator(json.loads((OFFICIAL / "openapi-3.1.json").read_text()))
ASYNCAPI = Draft7Validator(json.loads((OFFICIAL / "asyncapi-3.0.0.json").read_text()))


def problems(validator: Draft7Validator | Draft202012Validator, document: object) -> list[str]:
    # As it is written: tuples are lists there.
    written = json.loads(json.dumps(document))
    return [f"{error.json_path}: {error.message}"[:300] for error in validator.iter_errors(written)]


def test_openapi_is_valid() -> None:
    assert problems(OPENAPI, openapi_document()) == []


def test_asyncapi_is_valid() -> None:
    assert problems(ASYNCAPI, websocket_document()) == []


def _with_a_strange_place(document: dict[str, Any]) -> None:
    document["components"]["securitySchemes"]["ApiKey"]["in"] = "body"


def _without_title(document: dict[str, Any]) -> None:
    del document["info"]["title"]


def _with_a_strange_action(document: dict[str, Any]) -> None:
    document["operations"]["send"]["action"] = "shout"


@pytest.mark.parametrize("spoil", [_with_a_strange_place, _without_title])
def test_a_spoilt_openapi_is_not(spoil: Callable[[dict[str, Any]], None]) -> None:
    document = json.loads(json.dumps(openapi_document()))
    spoil(document)
    assert problems(OPENAPI, document) != []


@pytest.mark.parametrize("spoil", [_with_a_strange_action, _without_title])
def test_a_spoilt_asyncapi_is_not(spoil: Callable[[dict[str, Any]], None]) -> None:
    document = json.loads(json.dumps(websocket_document()))
    spoil(document)
    assert problems(ASYNCAPI, document) != []

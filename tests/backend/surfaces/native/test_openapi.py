"""openapi.json says everything that FastAPI cannot see by itself, and nothing that is not so."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from tests.harness.served_contract import OPENAPI

from cartrita.app import create_app, openapi_document, routes
from cartrita.surfaces.native.chat_requests import ChatRequest
from cartrita.surfaces.services import SurfaceConfig

ANONYMOUS = {
    ("get", "/"),
    ("get", "/assets/{asset_name}"),
    ("get", "/health"),
    ("get", "/ready"),
    ("post", "/api/session"),
}
UNDESCRIBED = {
    ("GET", "/openapi.json"),
    ("GET", "/docs"),
    ("GET", "/metrics"),
    ("HEAD", "/"),
    ("HEAD", "/assets/{asset_name}"),
    ("HEAD", "/health"),
    ("HEAD", "/ready"),
    ("HEAD", "/api/files/{file_id}/content"),
    ("HEAD", "/v1/files/{file_id}/content"),
    ("GET", "/.well-known/agent-card.json"),
    ("GET", "/a2a/{agent_id}/.well-known/agent-card.json"),
    ("POST", "/a2a"),
    ("POST", "/a2a/{agent_id}"),
    ("POST", "/mcp"),
}
"""Beside what describes the rest: A2A and MCP, which describe themselves by cards and lists."""


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in OPENAPI["paths"].items():
        for method, operation in methods.items():
            yield method, path, operation


def references(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for name, inside in value.items():
            if name == "$ref":
                yield inside
            else:
                yield from references(inside)
    elif isinstance(value, list):
        for inside in value:
            yield from references(inside)


def test_it_is_made_without_a_database_and_the_same_each_time() -> None:
    assert json.dumps(openapi_document()) == json.dumps(OPENAPI)
    assert OPENAPI["openapi"] == "3.1.0"


def test_it_describes_every_route() -> None:
    served = {(method, path) for method, path, _ in routes(create_app(SurfaceConfig()))}
    described = {(method.upper(), path) for method, path, _ in operations()}
    assert served == described | UNDESCRIBED


def test_ids_are_unique() -> None:
    named = [operation["operationId"] for _, _, operation in operations()]
    assert len(named) == len(set(named))


def test_every_reference_leads_somewhere() -> None:
    for reference in references(OPENAPI):
        place: Any = OPENAPI
        for step in reference.removeprefix("#/").split("/"):
            assert step in place, reference
            place = place[step]


def test_every_schema_is_one() -> None:
    for schema in OPENAPI["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize(("method", "path", "operation"), list(operations()))
def test_an_operation_is_whole(method: str, path: str, operation: dict[str, Any]) -> None:
    responses = operation["responses"]
    assert operation["summary"]
    assert operation["description"]
    assert (operation["security"] == []) == ((method, path) in ANONYMOUS)
    assert "500" in responses
    assert ("401" in responses) == (bool(operation["security"]) or path == "/api/session")
    assert "{" not in path or "404" in responses
    assert "requestBody" not in operation or {"400", "413", "415", "422"} <= responses.keys()
    for status, response in responses.items():
        if status >= "400":
            schema = response["content"]["application/json"]["schema"]
            name = "InvalidBody" if status == "422" else "ErrorBody"
            name = "VendorError" if path.startswith("/v1/") else name
            assert schema == {"$ref": f"#/components/schemas/{name}"}


def test_streams_are_described() -> None:
    event = {"schema": {"$ref": "#/components/schemas/ServerSentEvent"}}
    streamed = {
        (method, path)
        for method, path, operation in operations()
        if operation["responses"].get("200", {}).get("content", {}).get("text/event-stream")
        == event
    }
    conversation = "/api/conversations/{conversation_id}/messages"
    assert streamed == {
        ("post", "/api/chat"),
        ("post", "/api/chat/voice"),
        ("post", "/api/computer-use/execute"),
        ("get", "/api/chat/stream"),
        ("post", "/api/chat/stream"),
        ("post", "/api/huggingface/chat"),
        ("get", "/api/runs/{run_id}/events"),
        ("post", conversation),
        ("put", conversation + "/{message_id}"),
        ("patch", conversation + "/{message_id}"),
        ("post", conversation + "/{message_id}/retry"),
    }
    mapping = OPENAPI["components"]["schemas"]["ChatEvent"]["discriminator"]["mapping"]
    assert {"stream_start", "queued", "token", "error", "done"} <= mapping.keys()


def test_a_chat_request_is_described_as_body_and_as_query() -> None:
    chat = OPENAPI["paths"]["/api/chat"]["post"]["requestBody"]["content"]["application/json"]
    assert chat == {"schema": {"$ref": "#/components/schemas/ChatRequest"}}
    schema = OPENAPI["components"]["schemas"]["ChatRequest"]
    assert schema["required"] == ["message"]
    assert set(schema["properties"]) == set(ChatRequest.model_fields)
    source = OPENAPI["paths"]["/api/chat/stream"]["get"]["parameters"]
    in_query = {parameter["name"] for parameter in source if parameter["in"] == "query"}
    assert in_query == {*ChatRequest.model_fields, "ticket"}


def test_the_apis_below_v1_can_be_left_out() -> None:
    paths = {path for _, path, _ in routes(create_app(SurfaceConfig(v1=False)))}
    assert not any(path.startswith("/v1") for path in paths)

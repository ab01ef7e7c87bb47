"""A request's path decides the format of its errors, also where no endpoint answers."""

import json
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from tests.backend.surfaces.serving import connected, serving

from cartrita.domain.errors import CartritaError, Conflict
from cartrita.surfaces.anthropic import errors as anthropic
from cartrita.surfaces.error_formats import format_for, respond
from cartrita.surfaces.native import errors as native
from cartrita.surfaces.openai import errors as openai


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/", native.error_response),
        ("", native.error_response),
        ("*", native.error_response),
        ("/api/chat", native.error_response),
        ("/v10", native.error_response),
        ("/v1", openai.error_response),
        ("/v1/", openai.error_response),
        ("/v1/chat", openai.error_response),
        ("/v1/message", openai.error_response),
        ("/v1/messages", anthropic.error_response),
        ("/v1/messages/batches", anthropic.error_response),
    ],
)
def test_the_longest_path_decides(path: str, found: object) -> None:
    assert format_for(path) is found


async def answer(method: str, path: str) -> tuple[int, dict[str, str], dict[str, Any]]:
    app = FastAPI(
        exception_handlers={
            CartritaError: respond,
            RequestValidationError: respond,
            HTTPException: respond,
        }
    )

    @app.get("/items/{number}")
    async def get_item(number: int) -> int:
        return number

    @app.delete("/items/{number}")
    async def delete_item(number: int) -> None:
        raise Conflict(f"Item {number} is in use.")

    async with serving(app) as port, connected(port) as client:
        client.request(method, path)
        status, headers, body = await client.body()
        return status, headers, json.loads(body)


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere", 404, "not_found"),
        ("GET", "/items/many", 422, "validation_error"),
        ("DELETE", "/items/1", 409, "conflict"),
    ],
)
async def test_errors_outside_and_inside_of_endpoints(
    method: str, path: str, status: int, code: str
) -> None:
    answered, _, body = await answer(method, path)
    assert (answered, body["code"]) == (status, code)


async def test_a_wrong_method_is_told_all_methods_of_the_address() -> None:
    status, headers, body = await answer("PUT", "/items/1")
    assert (status, body["code"]) == (405, "method_not_allowed")
    assert headers["allow"] == "DELETE, GET"

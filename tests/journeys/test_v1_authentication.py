"""Each of the vendors' APIs answers whoever has a key, and nobody else, by the whole server."""

import json
from typing import Any
from uuid import uuid4

import pytest
from tests.harness import raw_http
from tests.harness.scenario import Scenario
from tests.journeys.v1 import post_json

USER = {"role": "user", "content": "Hi"}
APIS: dict[str, tuple[dict[str, Any], str, str]] = {
    "/v1/chat/completions": ({"messages": [USER]}, "openai", "invalid_request_error"),
    "/v1/responses": ({"input": [USER]}, "openai", "invalid_request_error"),
    "/v1/messages": ({"messages": [USER], "max_tokens": 9}, "anthropic", "authentication_error"),
}


def request(path: str, system: str, *, stored: bool) -> dict[str, Any]:
    fields, provider, _ = APIS[path]
    instructions = {"/v1/responses": "instructions", "/v1/messages": "system"}.get(path)
    if instructions is None:
        fields = {"messages": [{"role": "system", "content": system}, USER]}
    else:
        fields = {**fields, instructions: system}
    return {"model": f"{provider}/fake", "store": stored, **fields}


@pytest.mark.parametrize("stored", [True, False], ids=["run", "relay"])
@pytest.mark.parametrize("path", APIS)
async def test_a_key_is_needed(scenario: Scenario, path: str, stored: bool) -> None:
    needle = uuid4().hex
    body = request(path, needle, stored=stored)
    for given in ({}, {"Authorization": "Bearer ck_wrong"}, {"X-Api-Key": "ck_wrong"}):
        headers = {"Content-Type": "application/json", **given}
        octets = json.dumps(body).encode()
        asked = raw_http.request(scenario.server.port, "POST", path, headers, octets)
        async with await asked as answer:
            told = json.loads(await answer.body())
            assert (answer.status, told["error"]["type"]) == (401, APIS[path][2]), told
    assert not [each for each in scenario.provider.requests() if needle in each.body]
    status, told = await post_json(scenario, path, body)
    assert (status, told["model"]) == (200, body["model"]), told
    [sent] = [each for each in scenario.provider.requests() if needle in each.body]
    assert sent.path == path or stored

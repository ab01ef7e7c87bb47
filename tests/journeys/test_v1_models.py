"""`/v1/models` tells both vendors' SDKs what can be called, each in its own shape."""

import pytest
from tests.harness.scenario import Scenario


async def test_openai_shape(scenario: Scenario) -> None:
    status, listed = await scenario.call("GET", "/v1/models")
    assert (status, listed["object"]) == (200, "list")
    ids = [model["id"] for model in listed["data"]]
    assert {"cartrita", "cortex-flow", "openai/fake", "offline/assistant"} <= set(ids)
    for name in ids:
        status, model = await scenario.call("GET", f"/v1/models/{name}")
        assert (status, model["id"], model["object"]) == (200, name, "model")


async def test_anthropic_shape(scenario: Scenario) -> None:
    ids: list[str] = []
    page = {"has_more": True, "last_id": None}
    while page["has_more"]:
        after = f"&after_id={page['last_id']}" if page["last_id"] else ""
        path = f"/v1/models?limit=2{after}"
        status, page = await scenario.call("GET", path, Anthropic_Version="2023-06-01")
        assert status == 200
        ids += [model["id"] for model in page["data"]]
    assert {"cartrita", "openai/fake"} <= set(ids)
    _, model = await scenario.call("GET", "/v1/models/openai/fake", Anthropic_Version="2023-06-01")
    assert (model["type"], model["id"]) == ("model", "openai/fake")


@pytest.mark.parametrize("name", ["nothing/like-this", "cartrita-nobody", "fak"])
async def test_a_model_that_does_not_exist(scenario: Scenario, name: str) -> None:
    status, body = await scenario.call("GET", f"/v1/models/{name}")
    assert status == 404
    assert body["error"]["code"] == "model_not_found"
    assert body["error"]["type"] == "invalid_request_error"


async def test_a_stranger_gets_the_vendors_envelope(scenario: Scenario) -> None:
    status, body = await scenario.call("GET", "/v1/models", X_API_Key="ck_wrong")
    assert (status, body["error"]["code"]) == (401, "invalid_api_key")

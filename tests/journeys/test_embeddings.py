"""`/v1/embeddings` is relayed to providers that speak OpenAI's API, and refused for others."""

from uuid import uuid4

from tests.harness.scenario import Scenario
from tests.journeys.v1 import post_json


async def test_a_model_without_embeddings(scenario: Scenario) -> None:
    body = {"model": "offline/assistant", "input": "x"}
    status, told = await post_json(scenario, "/v1/embeddings", body)
    assert (status, told["error"]["param"], told["error"]["code"]) == (
        400,
        "model",
        "not_supported",
    )


async def test_what_the_provider_says_is_told(scenario: Scenario) -> None:
    body = {"model": "openai/nothing", "input": f"needle-{uuid4().hex}"}
    status, told = await post_json(scenario, "/v1/embeddings", body)
    assert (status, told["error"]["type"]) == (404, "invalid_request_error")

"""`/v1/embeddings` is relayed to providers that speak OpenAI's API, and refused for others."""

import base64
import struct
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from tests.harness.fake_provider.launch import FakeProvider
from tests.harness.scenario import Scenario, eventually
from tests.journeys.v1 import post, post_json

PATH = "/v1/embeddings"


def request(model: str = "openai/fake", **fields: Any) -> dict[str, Any]:
    return {"model": model, "input": f"needle-{uuid4().hex} one two", **fields}


async def test_both_encodings_say_the_same(scenario: Scenario) -> None:
    body = request(dimensions=8)
    status, floats = await post_json(scenario, PATH, {**body, "encoding_format": "float"})
    assert (status, floats["object"], floats["model"]) == (200, "list", "openai/fake")
    status, packed = await post_json(scenario, PATH, {**body, "encoding_format": "base64"})
    octets = base64.b64decode(packed["data"][0]["embedding"])
    assert list(struct.unpack("<8f", octets)) == floats["data"][0]["embedding"]
    assert packed["usage"] == floats["usage"]


async def test_several_texts(scenario: Scenario) -> None:
    status, told = await post_json(scenario, PATH, request(input=["one", "two", "three"]))
    assert (status, [each["index"] for each in told["data"]]) == (200, [0, 1, 2])


async def test_the_ledger_is_told(scenario: Scenario) -> None:
    words = " ".join(["word"] * 37)
    status, told = await post_json(scenario, PATH, request(input=words))
    assert status == 200

    async def entries() -> list[Any]:
        return await scenario.fetch(
            "SELECT output_tokens, estimated, outcome FROM usage_ledger"
            " WHERE surface = 'openai_embeddings' AND input_tokens = $1",
            told["usage"]["prompt_tokens"],
        )

    assert [tuple(each) for each in await eventually(entries)] == [(0, False, "completed")]


@pytest.mark.parametrize("model", ["offline/assistant", "anthropic/fake"])
async def test_a_provider_without_embeddings(scenario: Scenario, model: str) -> None:
    status, told = await post_json(scenario, PATH, request(model))
    assert status == 400
    assert (told["error"]["param"], told["error"]["code"]) == ("model", "not_supported")


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"model": None}, "model"),
        ({"input": ""}, "input"),
        ({"dimensions": 0}, "dimensions"),
        ({"encoding_format": "hex"}, "encoding_format"),
    ],
)
async def test_bad_input(scenario: Scenario, change: dict[str, Any], param: str) -> None:
    status, told = await post_json(scenario, PATH, {**request(), **change})
    assert (status, told["error"]["type"], told["error"]["param"]) == (
        400,
        "invalid_request_error",
        param,
    )


async def test_what_the_provider_says_is_told(scenario: Scenario) -> None:
    status, told = await post_json(scenario, PATH, request("openai/nothing"))
    assert (status, told["error"]["type"]) == (404, "invalid_request_error")


async def test_on_a_route_the_first_that_has_the_endpoint_answers(
    serve: Any, provider: FakeProvider, tmp_path: Path
) -> None:
    """Providers of another dialect are passed over, and one that is away is replaced."""
    configuration = tmp_path / "cartrita.toml"
    configuration.write_text(
        """
[providers.away]
dialect = "openai_chat"
base_url = "http://127.0.0.1:9/v1"
models = ["fake"]

[routes.mixed]
deployments = ["away/fake", "openai/fake", "anthropic/fake"]
"""
    )
    scenario: Scenario = serve(
        settings={
            "CARTRITA_CONFIG": str(configuration),
            "ANTHROPIC_BASE_URL": provider.root_url,
            "ANTHROPIC_API_KEY": provider.key,
        }
    )
    status, headers, answered = await post(scenario, PATH, request("mixed"))
    assert (status, headers["x-cartrita-provider"]) == (200, "openai"), answered
    count = {"model": "mixed", "messages": [{"role": "user", "content": "one two three"}]}
    status, headers, answered = await post(scenario, "/v1/messages/count_tokens", count)
    assert (status, headers["x-cartrita-provider"]) == (200, "anthropic"), answered
    assert headers["x-cartrita-token-count"] == "exact"

    async def surfaces() -> set[str]:
        rows = await scenario.fetch("SELECT DISTINCT surface FROM usage_ledger")
        return {row["surface"] for row in rows}

    assert await eventually(surfaces) == {"openai_embeddings"}

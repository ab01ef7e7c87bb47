"""Keys of providers that are sent instead of keys of ours show nowhere, however calls fail."""

import json
from collections.abc import Iterator

import pytest
from tests.harness.fake_provider.launch import FakeProvider, fake_provider
from tests.harness.fake_provider.replaced_responses import ReplacedResponse
from tests.harness.fake_provider.script import Script
from tests.harness.fixtures import PROVIDER_KEY
from tests.harness.scenario import Scenario
from tests.harness.server import Server
from tests.harness.websockets import opened
from tests.security.canaries import Canaries
from tests.security.test_canaries import dump, told

SAID = [{"role": "user", "content": "x"}]
CALLS = (
    ("/api/chat", {"message": "x", "model": "openai/fake"}),
    ("/api/chat/stream", {"message": "x", "model": "openai/fake"}),
    ("/api/code", {"task": "x", "model": "openai/fake"}),
    ("/api/huggingface/chat", {"message": "x"}),
    ("/v1/chat/completions", {"model": "openai/fake", "messages": SAID}),
    ("/v1/chat/completions", {"model": "openai/fake", "messages": SAID, "stream": True}),
    ("/v1/messages", {"model": "openai/fake", "messages": SAID, "max_tokens": 9}),
    ("/v1/responses", {"model": "openai/fake", "input": "x"}),
    ("/v1/embeddings", {"model": "openai/fake", "input": "x"}),
)


@pytest.fixture
def canaries() -> Canaries:
    return Canaries()


@pytest.fixture
def key(canaries: Canaries) -> str:
    return f"sk-{canaries.plant('a key that the provider accepts')}"


@pytest.fixture
def upstream(key: str) -> Iterator[FakeProvider]:
    with fake_provider(seed=7, key=PROVIDER_KEY, more_keys=[key]) as running:
        yield running


@pytest.fixture
def running(upstream: FakeProvider) -> Iterator[Scenario]:
    settings = {
        "CARTRITA_LOG_LEVEL": "debug",
        "CARTRITA_LEGACY_QUERY_KEYS": "true",
        "CARTRITA_ROUTES_FIRST_PAUSE_S": "0.02",
        "CARTRITA_ROUTES_LONGEST_PAUSE_S": "0.1",
    }
    with Server(provider_url=upstream.base_url, settings=settings) as server:
        yield Scenario(server, upstream)


async def call_all(scenario: Scenario, headers: dict[str, str], query: str = "") -> list[str]:
    """The answers to a call by each API."""
    kind = {"Content-Type": "application/json"}
    return [
        await told(
            scenario, "POST", f"{path}{query}", {**kind, **headers}, json.dumps(body).encode()
        )
        for path, body in CALLS
    ]


async def test_keys_of_providers_show_nowhere(
    running: Scenario, key: str, canaries: Canaries
) -> None:
    answers = await call_all(running, {"X-API-Key": key})
    assert sum(answer.startswith("200") for answer in answers) == len(CALLS) - 1
    for status in (400, 401, 402, 403, 404, 429, 500, 529):  # which repeat what they were sent
        body = json.dumps({"error": {"message": f"No: {key}", "code": key, "type": key}})
        fault = ReplacedResponse(status=status, body=body)
        for path in ("/v1/chat/completions", "/v1/embeddings", "/v1/responses"):
            running.provider.script(Script(faults=(fault,)), default=True, path=path)
        answers += await call_all(running, {"Authorization": f"Bearer {key}"})
    wrong = f"sk-{canaries.plant('a key that the provider refuses')}"
    body = json.dumps({"error": {"message": f"No: {wrong}", "code": wrong}})
    refusal = ReplacedResponse(status=500, body=body)
    running.provider.script(Script(faults=(refusal,)), default=True, path="/v1/chat/completions")
    for each in (wrong, f"hf_{canaries.plant('another')}", canaries.plant("of no provider")):
        answers += await call_all(running, {"X-API-Key": each})
        answers += await call_all(running, {}, f"?api_key={each.replace('+', '%2B')}")
        async with opened(running.server.port, key=None) as socket:
            await socket.send(type="auth", api_key=each, provider="openai")
            answers.append(json.dumps(await socket.next()))
    running.provider.reset()
    answers += await call_all(running, {}, f"?api_key={key.replace('+', '%2B')}")
    for provider in (canaries.plant("as a provider"), "openai", "anthropic"):
        answers += await call_all(running, {"X-API-Key": key, "X-Cartrita-Provider": provider})
    shown = ("/api/me", "/api/usage", "/api/providers", "/api/conversations", "/api/models")
    answers += [await told(running, "GET", path, {"X-API-Key": key}) for path in shown]
    for answer in answers:
        assert not canaries.found(answer), answer
    assert not canaries.found(await dump(running))
    running.server.stop()
    assert not canaries.found(running.server.log_path.read_text())

"""Keys of providers that callers bring, and secrets sent over a WebSocket, show nowhere either."""

import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

import pytest
from tests.harness.fake_provider.launch import FakeProvider, fake_provider
from tests.harness.fake_provider.replaced_responses import ReplacedResponse
from tests.harness.fake_provider.script import Script
from tests.harness.fixtures import PROVIDER_KEY
from tests.harness.scenario import Scenario
from tests.harness.server import KEY, Server
from tests.harness.websockets import opened
from tests.security.canaries import Canaries
from tests.security.handshakes import handshake, own_host
from tests.security.owners import made
from tests.security.test_canaries import dump, told

MINE = {"X-API-Key": KEY, "Content-Type": "application/json"}
HANDSHAKE = {
    "X-API-Key": "{}",
    "Authorization": "Bearer {}",
    "authorization": "Basic {}",
    "Cookie": "cartrita_session={}",
    "Origin": "http://{}",
    "Host": "{}",
    "Sec-WebSocket-Protocol": "{}",
    "Sec-WebSocket-Extensions": "{}",
    "Sec-WebSocket-Key": "{}",
    "X-Request-ID": "{}",
    "User-Agent": "{}",
}
QUERIES = ("ticket", "api_key", "token", "code", "x")
FRAMES = {
    "auth": '{"type": "auth", "api_key": "{}"}',
    "auth, a wrong type": '{"type": "auth", "api_key": ["{}"]}',
    "half": '{"type": "auth", "api_key": "{}',
    "twice": '{"type": "auth", "api_key": "{}", "api_key": "{}"}',
    "no object": '["{}"]',
    "an unknown field": '{"type": "ping", "api_key": "{}"}',
    "an unknown type": '{"type": "{}"}',
    "a wrong type": '{"type": "chat", "message": {"x": "{}"}}',
    "a wrong place": '{"type": "chat", "message": "x", "temperature": "{}"}',
}


@pytest.fixture
def canaries() -> Canaries:
    return Canaries()


@pytest.fixture
def upstream(canaries: Canaries) -> Iterator[FakeProvider]:
    """A provider that accepts three of the planted keys."""
    keys = [canaries.plant(f"credential {number}") for number in range(3)]
    with fake_provider(seed=7, key=PROVIDER_KEY, more_keys=keys) as running:
        yield running


@pytest.fixture
def started(upstream: FakeProvider) -> Iterator[Scenario]:
    with Server(provider_url=upstream.base_url, settings={"CARTRITA_LOG_LEVEL": "debug"}) as server:
        yield Scenario(server, upstream)


async def post(scenario: Scenario, path: str, body: Mapping[str, Any]) -> str:
    return await told(scenario, "POST", path, MINE, json.dumps(body).encode())


async def brought(scenario: Scenario, canaries: Canaries) -> list[str]:
    """All that is answered while keys are exchanged, rotated, used, refused and revoked."""
    keys = [canaries.planted[f"credential {number}"] for number in range(3)]
    own = {"provider": "openai", "key": keys[0]}
    first = (await made(scenario, MINE, "/api/credentials", own))["credential"]
    path = f"/api/credentials/{first['id']}/rotate"
    second = await made(scenario, MINE, path, {"key": keys[1], "overlap_seconds": 600})
    answers = [await post(scenario, "/api/credentials", own | {"key": keys[2], "shared": True})]
    wrong = canaries.plant("a key that the provider refuses")
    answers += [
        await post(scenario, path, {"key": wrong}),
        await post(scenario, "/api/credentials", own | {"key": wrong}),
        await post(scenario, "/api/credentials", {"provider": "nobody", "key": wrong}),
        await post(scenario, "/api/credentials", own | {"key": [wrong]}),
        await post(scenario, "/api/credentials", {"provider": [wrong], "keys": wrong}),
        await told(scenario, "POST", "/api/credentials", MINE, f'{{"key": "{wrong}'.encode()),
    ]
    answers += await used(scenario, keys[1])
    for each in (first, second):
        gone = f"/api/credentials/{each['id']}"
        answers.append(await told(scenario, "DELETE", gone, MINE))
    return answers


async def used(scenario: Scenario, key: str) -> list[str]:
    """Calls that such a key pays, to a provider that tells the key that it was sent."""
    answers: list[str] = []
    turns = [{"role": "user", "content": "x"}]
    for status in (200, 400, 401, 402, 403, 429, 500):
        error = {"message": f"No: Bearer {key}.", "code": key, "type": key, "param": key}
        body = json.dumps({"error": error})
        faults = () if status == 200 else (ReplacedResponse(status=status, body=body),)
        scenario.provider.script(Script(words=3, faults=faults), default=True)
        for path, asked in (
            ("/api/chat", {"message": "x", "model": "openai/fake"}),
            ("/api/chat/stream", {"message": "x", "model": "openai/fake"}),
            ("/v1/chat/completions", {"model": "openai/fake", "messages": turns}),
            ("/v1/chat/completions", {"model": "openai/fake", "messages": turns, "stream": True}),
            ("/v1/responses", {"model": "openai/fake", "input": "x"}),
        ):
            answers.append(await post(scenario, path, asked))
        async with opened(scenario.server.port) as socket:
            await socket.send(type="chat", message="x", model="openai/fake")
            answers.append(str(await socket.until_end()))
    scenario.provider.reset()
    return answers


async def over_sockets(scenario: Scenario, canaries: Canaries) -> list[str]:
    """What handshakes and frames with secrets in them are answered."""
    port = scenario.server.port
    answers: list[str] = []
    for name, value in HANDSHAKE.items():
        sent = {name: value.replace("{}", canaries.plant(f"handshake {name}"))}
        lines = [] if name == "Host" else [f"Host: {own_host(port)}"]
        answers.append(str(await handshake(port, lines, sent)))
    for name in QUERIES:
        secret = quote(canaries.plant(f"socket's query {name}"))
        lines = [f"Host: {own_host(port)}"]
        answers.append(str(await handshake(port, lines, {}, f"/ws/chat?{name}={secret}")))
    for name, text in FRAMES.items():
        frame = text.replace("{}", canaries.plant(f"frame: {name}"))
        for key in (None, KEY):
            for sent in (frame, frame.encode()):
                async with opened(port, key=key) as socket:
                    await socket.connection.send(sent)
                    await socket.connection.send("")  # is told, so that something comes in any case
                    answers.append(str(await socket.next()))
    return answers


async def shown(scenario: Scenario) -> list[str]:
    """What callers may look at afterwards."""
    listed = await told(scenario, "GET", "/api/conversations?limit=100", MINE)
    answers = [listed]
    conversations = json.loads(listed[listed.index('{"items"') :])["items"]
    assert conversations
    for path in (
        "/api/credentials",
        "/api/admin/audit?limit=100",
        "/api/keys",
        "/api/providers",
        "/api/models",
        "/api/usage",
        f"/api/conversations/{conversations[0]['id']}/export",
        *(f"/api/conversations/{each['id']}/messages" for each in conversations),
    ):
        answers.append(await told(scenario, "GET", path, MINE))
        assert answers[-1].startswith("200"), answers[-1]
    return answers


@pytest.mark.slow
async def test_brought_keys_and_secrets_in_frames_show_nowhere(
    started: Scenario, canaries: Canaries
) -> None:
    answers = await brought(started, canaries) + await over_sockets(started, canaries)
    answers += await shown(started)
    assert len(canaries.planted) >= 25
    for answer in answers:
        assert not canaries.found(answer), answer
    assert not canaries.found(await dump(started))
    started.server.stop()
    assert not canaries.found(started.server.log_path.read_text())

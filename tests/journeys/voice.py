"""What is said to a server in the journeys of voice, and what it answers."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from tests.harness import raw_http
from tests.harness.deepgram.launch import Deepgram
from tests.harness.documents import form
from tests.harness.fake_provider.launch import FakeProvider
from tests.harness.scenario import Scenario
from tests.harness.server import KEY, Server

MODEL: Mapping[str, str] = {"provider": "openai", "model": "fake"}
"""The fields that have the fake provider answer."""


@pytest.fixture(scope="module")
def speaking(provider: FakeProvider, deepgram_server: Deepgram) -> Iterator[Scenario]:
    """A server with a key of Deepgram, and of an OpenAI that hears and speaks too."""
    with Server(provider_url=provider.base_url, settings=deepgram_server.settings) as server:
        yield Scenario(server, provider)


@pytest.fixture
def deepgram(deepgram_server: Deepgram) -> Deepgram:
    """That Deepgram, to which nobody has said anything yet."""
    deepgram_server.reset()
    return deepgram_server


async def said(
    scenario: Scenario,
    path: str,
    audio: bytes,
    headers: Mapping[str, str] | None = None,
    /,
    *,
    key: str = KEY,
    name: str = "said.wav",
    **fields: str,
) -> tuple[int, dict[str, Any]]:
    """The status and the JSON of the answer to a form with a recording."""
    kind, body = form(("audio", name, audio), fields=fields)
    sent = {"X-API-Key": key, "Content-Type": kind, **(headers or {})}
    request = raw_http.request(scenario.server.port, "POST", path, sent, body)
    async with await request as answer:
        return answer.status, json.loads(await answer.body())


async def spoken(
    scenario: Scenario, body: Mapping[str, Any], key: str = KEY
) -> tuple[int, str, bytes]:
    """The status, the media type and the body of a speech."""
    headers = {"X-API-Key": key, "Content-Type": "application/json"}
    request = raw_http.request(
        scenario.server.port, "POST", "/api/voice/speak", headers, json.dumps(body).encode()
    )
    async with await request as answer:
        return answer.status, answer.headers["content-type"], await answer.body()


async def content(scenario: Scenario, url: str, key: str = KEY) -> tuple[str, bytes]:
    """The media type and the bytes of a stored file."""
    async with await raw_http.request(
        scenario.server.port, "GET", url, {"X-API-Key": key}, b""
    ) as answer:
        assert answer.status == 200, await answer.body()
        return answer.headers["content-type"], await answer.body()

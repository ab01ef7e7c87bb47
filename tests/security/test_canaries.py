"""Planted secrets show nowhere: not in logs, answers, the database or errors."""

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import pytest
from tests.harness import raw_http
from tests.harness.scenario import Scenario
from tests.security.canaries import ENCODINGS, Canaries

HEADERS = {
    "X-API-Key": "{}",
    "Authorization": "Bearer {}",
    "authorization": "Basic {}",
    "AUTHORIZATION": "{}",
    "Cookie": "cartrita_session={}",
    "cookie": "other={}",
    "Proxy-Authorization": "Bearer {}",
    "api-key": "{}",
    "X-Goog-Api-Key": "{}",
    "OpenAI-Organization": "{}",
    "anthropic-beta": "{}",
    "X-Forwarded-For": "{}",
    "Forwarded": "for={}",
    "Referer": "http://localhost/?key={}",
    "User-Agent": "agent {}",
    "Origin": "http://{}@localhost",
    "Last-Event-ID": "{}",
    "X-Client-Version": "{}",
    "X-Cartrita-Cache": "{}",
    "Content-Type": "application/{}",
    "Accept": "{}",
}
QUERIES = [
    "api_key",
    "key",
    "access_token",
    "token",
    "ticket",
    "password",
    "code",
    "limit",
    "cursor",
]
BODIES = {
    "cut": '{"message": "{}',
    "twice": '{"message": "{}", "message": "{}", "model": "a", "model": "b"}',
    "not an object": '["{}"]',
    "a wrong type": '{"message": {"x": "{}"}, "messages": {"x": "{}"}, "input": {"x": "{}"}}',
    "a wrong place": '{"temperature": "{}", "messages": 1, "message": 1, "input": 1}',
    "not JSON": "api_key={}",
}
PATHS = ["/api/chat", "/v1/chat/completions", "/v1/messages", "/v1/responses", "/api/session"]


async def told(
    scenario: Scenario, method: str, target: str, headers: Mapping[str, str], body: bytes = b""
) -> str:
    """All of an answer: its status, headers and body."""
    asked = raw_http.request(scenario.server.port, method, target, headers, body)
    async with await asked as answer:
        octets = await answer.body()
        return f"{answer.status} {answer.headers} {octets.decode('utf-8', 'replace')}"


async def dump(scenario: Scenario) -> str:
    """Every row of every table, as text; what is binary as hexadecimal digits."""
    async with scenario.connection() as db:
        names = await db.fetch("SELECT tablename AS t FROM pg_tables WHERE schemaname = 'public'")
        assert len(names) > 5
        rows = [await db.fetch(f'SELECT t::text AS row FROM "{n["t"]}" t') for n in names]
    return "\n".join(row["row"] for table in rows for row in table)


def settings_with(canaries: Canaries, closed: str) -> dict[str, str]:
    """Settings that hold secrets, with a provider that refuses its key and one that is away."""
    return {
        "CARTRITA_BOOTSTRAP_KEY": canaries.plant("the bootstrap key"),
        "CARTRITA_SECRET": canaries.plant("the server's secret"),
        "OPENAI_API_KEY": canaries.plant("a provider's key"),
        "ANTHROPIC_API_KEY": canaries.plant("a key of a provider that is away"),
        "ANTHROPIC_BASE_URL": closed,
        "CARTRITA_LOG_LEVEL": "debug",
    }


async def force_errors(scenario: Scenario, canaries: Canaries, key: str) -> list[str]:
    """Requests that fail, with secrets at every place; all answers."""
    asked: list[tuple[str, str, Mapping[str, str], bytes]] = []
    json_type = {"Content-Type": "application/json"}
    for name, value in HEADERS.items():
        secret = canaries.plant(f"header {name}")
        alone = any(word in name.lower() for word in ("auth", "key", "cookie"))
        given = {} if alone else {"X-API-Key": key}
        for method, target in (("GET", "/api/conversations"), ("POST", "/v1/chat/completions")):
            headers = {**json_type, **given, name: value.replace("{}", secret)}
            asked.append((method, target, headers, b""))
    for name in QUERIES:
        secret = quote(canaries.plant(f"query {name}"))
        for target in ("/api/conversations", "/api/chat/stream", "/v1/models", "/nowhere"):
            wanted = f"{target}?{name}={secret}"
            asked += [("GET", wanted, given, b"") for given in ({}, {"X-API-Key": key})]
    for name, body in BODIES.items():
        octets = body.replace("{}", canaries.plant(f"body: {name}")).encode()
        headers = {**json_type, "X-API-Key": key}
        asked += [("POST", target, headers, octets) for target in PATHS]
    return [await told(scenario, *each) for each in asked]


async def call_providers(scenario: Scenario, key: str) -> list[str]:
    """Calls that the providers refuse, or that do not reach them, by each API."""
    answers: list[str] = []
    turns = [{"role": "user", "content": "x"}]
    for model in ("openai/fake", "anthropic/fake"):
        for path, body in (
            ("/api/chat", {"message": "x", "model": model}),
            ("/api/chat/stream", {"message": "x", "model": model}),
            ("/v1/chat/completions", {"model": model, "messages": turns}),
            ("/v1/chat/completions", {"model": model, "messages": turns, "stream": True}),
            ("/v1/messages", {"model": model, "messages": turns, "max_tokens": 9}),
            ("/v1/responses", {"model": model, "input": "x"}),
            ("/v1/responses", {"model": model, "input": "x", "store": False}),
            ("/v1/embeddings", {"model": model, "input": "x"}),
        ):
            headers = {"X-API-Key": key, "Content-Type": "application/json"}
            octets = json.dumps(body).encode()
            answers.append(await told(scenario, "POST", path, headers, octets))
    for name in ("openai", "anthropic"):
        path = f"/api/providers/{name}/check"
        answers.append(await told(scenario, "POST", path, {"X-API-Key": key}))
    shown = ("/api/providers", "/api/models", "/ready", "/openapi.json", "/docs", "/metrics")
    return answers + [await told(scenario, "GET", path, {"X-API-Key": key}) for path in shown]


@pytest.mark.slow
async def test_planted_secrets_show_nowhere(serve: Any) -> None:
    canaries = Canaries()
    scenario: Scenario = serve(settings=settings_with(canaries, "http://127.0.0.1:9"))
    key = canaries.planted["the bootstrap key"]
    answers = await force_errors(scenario, canaries, key)
    refused = sum(answer.startswith("4") for answer in answers)
    assert refused > len(answers) // 2
    answers += await call_providers(scenario, key)
    assert len(canaries.planted) >= 40
    for answer in answers:
        assert not canaries.found(answer), answer
    assert not canaries.found(await dump(scenario))
    scenario.server.stop()
    assert not canaries.found(scenario.server.log_path.read_text())


def test_each_form_is_found() -> None:
    canaries = Canaries()
    secret = canaries.plant("a test")
    for text in (secret, secret[::-1], f"...{secret[:38]}", secret.encode().hex()):
        assert canaries.found(f"before {text} after")
    assert not canaries.found("nothing")


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_each_encoding_is_found(encoding: str) -> None:
    canaries = Canaries()
    secret = canaries.plant("a test")
    for text in ENCODINGS[encoding](secret):
        assert canaries.found(f"before {text} after"), text


def test_it_is_found_wherever_an_encoding_begins() -> None:
    canaries = Canaries()
    secret = canaries.plant("a test")
    for before in ("", "a", "ab", "abc", "Bearer "):
        octets = f"{before}{secret}".encode()
        assert canaries.found(base64.b64encode(octets).decode())
        assert canaries.found(binascii.b2a_uu(octets[:45]).decode())

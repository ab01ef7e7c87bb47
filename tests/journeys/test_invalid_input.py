"""Invalid input: the right status, one sentence, nothing stored."""

import asyncio
import json
from typing import Any
from urllib.parse import quote

import pytest
from tests.harness import raw_http
from tests.harness.scenario import Scenario
from tests.harness.server import KEY

JSON = "application/json"
GOOD = b'{"message": "hello"}'
CONVERSATION = "00000000000000000000000000000000"

BODIES: list[tuple[str, bytes, int, str]] = [
    ("nothing", b"", 400, "malformed_request"),
    ("no JSON", b"hello", 400, "malformed_request"),
    ("half of it", b'{"message": "hel', 400, "malformed_request"),
    ("a list", b'["hello"]', 400, "malformed_request"),
    ("null", b"null", 400, "malformed_request"),
    ("invalid UTF-8", b'{"message": "\xff\xfe"}', 400, "malformed_request"),
    ("equal keys", b'{"message": "a", "message": "b"}', 400, "malformed_request"),
    ("deep", b'{"message": "a", "metadata": ' + b"[" * 50_000 + b"]" * 50_000 + b"}", 400, "mal"),
    ("no message", b"{}", 422, "validation_error"),
    ("a null message", b'{"message": null}', 422, "validation_error"),
    ("an empty message", b'{"message": ""}', 422, "validation_error"),
    ("blanks", b'{"message": " \\n\\t"}', 422, "validation_error"),
    ("a number", b'{"message": 5}', 422, "validation_error"),
    ("an object", b'{"message": {}}', 422, "validation_error"),
    ("NUL", b'{"message": "a\\u0000b"}', 422, "validation_error"),
    ("half a pair", b'{"message": "\\ud800"}', 422, "validation_error"),
    ("too long", b'{"message": "%s"}' % (b"x" * 32_001), 422, "validation_error"),
    ("a hot model", b'{"message": "a", "temperature": 3}', 422, "validation_error"),
    ("no tokens", b'{"message": "a", "max_tokens": 0}', 422, "validation_error"),
    ("words for tools", b'{"message": "a", "tools": "search"}', 422, "validation_error"),
    ("a strange context", b'{"message": "a", "context": {"a": 1}}', 422, "validation_error"),
    ("an unknown tool", b'{"message": "a", "tools": ["nope"]}', 422, "validation_error"),
    ("an unknown file", b'{"message": "a", "attachments": ["nope"]}', 404, "file_not_found"),
    (
        "an unknown provider",
        b'{"message": "a", "provider": "nope"}',
        404,
        "provider_not_configured",
    ),
    ("an unknown agent", b'{"message": "a", "agent_override": "nope"}', 404, "agent_not_found"),
    ("no conversation", b'{"message": "a", "conversation_id": "nope"}', 404, "conversation_not"),
    (
        "an unknown conversation",
        b'{"message": "a", "conversation_id": "%s"}' % CONVERSATION.encode(),
        404,
        "conversation_not_found",
    ),
    ("10 MB", b'{"message": "%s"}' % (b"x" * 10_000_000), 413, "too_large"),
]
QUERIES: list[tuple[str, int]] = [
    ("", 422),
    ("message=", 422),
    ("message=%20", 422),
    ("message=a%00b", 422),
    ("message=%ff", 400),
    ("message=a&temperature=hot", 422),
    ("message=a&metadata={", 422),
    ("message=a&conversation_id=nope", 404),
    ("message=a&provider=nope", 404),
    (f"message={'x' * 20_000}", 414),
    (f"message=a&api_key={KEY}", 400),
    (f"message=a&token={KEY}", 400),
]
PATHS: list[tuple[str, str, int]] = [
    ("GET", "/api/conversations/nope", 404),
    ("GET", "/api/conversations/%00", 422),
    ("GET", "/api/conversations/%ff%fe", 404),
    ("GET", "/api/conversations/a%2fb", 404),
    ("GET", "/api/conversations/'; DROP TABLE runs; --", 404),
    ("GET", f"/api/conversations/{'x' * 300}", 422),
    ("GET", "/api/runs/run_nope", 404),
    ("GET", "/api/runs/run_nope/events", 404),
    ("GET", "/api/conversations?cursor=nope", 422),
    ("GET", "/api/conversations?cursor=%00", 422),
    ("GET", "/api/conversations?limit=0", 422),
    ("GET", "/api/conversations?limit=1e9", 422),
    ("GET", "/api/conversations?tag=%00", 422),
    ("GET", "/api/search?q=%00%27%22)(:*&limit=5", 200),
    ("GET", "/api/search?q=" + "%26%7C!(" * 50, 200),
    ("GET", "/api/search?types=nonsense", 422),
    ("GET", "/api/nothing", 404),
    ("GET", "/api/chat", 405),
    ("DELETE", "/health", 405),
    ("HEAD", "/api/chat/stream?message=x", 405),
]


async def ask(
    scenario: Scenario, method: str, path: str, body: bytes = b"", **headers: str
) -> tuple[int, dict[str, str], bytes]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    sent = {"X-API-Key": KEY, **named}
    async with await raw_http.request(
        scenario.server.port, method, path.replace(" ", "%20"), sent, body
    ) as a:
        return a.status, a.headers, b"" if method == "HEAD" else await a.body()


async def rows(scenario: Scenario) -> list[int]:
    tables = ("conversations", "messages", "runs", "idempotency")
    counts = [await scenario.fetch(f"SELECT count(*) AS n FROM {table}") for table in tables]
    return [count[0]["n"] for count in counts]


def one_sentence(body: bytes, headers: dict[str, str]) -> dict[str, Any]:
    response: dict[str, Any] = json.loads(body)
    assert response["detail"] == response["error"]
    assert 10 < len(response["error"]) < 400
    assert "\n" not in response["error"]
    assert response["request_id"] == headers["x-request-id"]
    assert not any(word in str(response) for word in ("Traceback", "asyncpg", "sqlalchemy", KEY))
    return response


@pytest.mark.parametrize("path", ["/api/chat", "/api/chat/stream"])
async def test_bodies(scenario: Scenario, path: str) -> None:
    before = await rows(scenario)
    for name, body, expected, code in BODIES:
        status, headers, raw = await ask(scenario, "POST", path, body, Content_Type=JSON)
        assert status == expected, (name, status, raw[:300])
        response = one_sentence(raw, headers)
        assert response["code"].startswith(code), (name, response)
        assert ("errors" in response) == (status == 422), name
    assert await rows(scenario) == before


async def test_content_types(scenario: Scenario) -> None:
    before = await rows(scenario)
    for content_type in ("text/plain", "multipart/form-data; boundary=x", "application/xml", "x"):
        status, headers, raw = await ask(
            scenario, "POST", "/api/chat", GOOD, Content_Type=content_type
        )
        assert status == 415
        assert one_sentence(raw, headers)["code"] == "unsupported_media_type"
    assert await rows(scenario) == before
    for content_type in ("application/x-www-form-urlencoded", "application/vnd.api+json"):
        status, _, raw = await ask(scenario, "POST", "/api/chat", GOOD, Content_Type=content_type)
        assert status == 200, raw


async def test_queries(scenario: Scenario) -> None:
    before = await rows(scenario)
    for query, expected in QUERIES:
        status, headers, raw = await ask(scenario, "GET", f"/api/chat/stream?{query}")
        assert status == expected, (query[:80], status, raw[:300])
        one_sentence(raw, headers)
    assert await rows(scenario) == before


async def test_paths(scenario: Scenario) -> None:
    for method, path, expected in PATHS:
        status, headers, raw = await ask(scenario, method, path)
        assert status == expected, (method, path[:80], status, raw[:300])
        if status >= 400 and method != "HEAD":
            one_sentence(raw, headers)
        assert ("allow" in headers) == (status == 405)


@pytest.mark.parametrize("key", ["", "x" * 256, "ö", "a\tb"])
async def test_idempotency_keys(scenario: Scenario, key: str) -> None:
    before = await rows(scenario)
    sent = key.encode().decode("latin-1")
    status, headers, raw = await ask(
        scenario, "POST", "/api/chat", GOOD, Content_Type=JSON, Idempotency_Key=sent
    )
    assert status == 422
    one_sentence(raw, headers)
    assert await rows(scenario) == before


@pytest.mark.parametrize("cursor", ["nonsense", "run_.1", "run_x.", "run_x.-1", "run_x.1e3", "."])
async def test_cursors(scenario: Scenario, cursor: str) -> None:
    """A broken Last-Event-ID never starts a run."""
    before = await rows(scenario)
    path = "/api/chat/stream?message=x"
    status, headers, raw = await ask(scenario, "GET", path, Last_Event_ID=cursor)
    assert status in (400, 404)
    one_sentence(raw, headers)
    assert await rows(scenario) == before


async def test_slow_body_times_out(serve: Any) -> None:
    scenario: Scenario = serve(settings={"CARTRITA_SERVER_BODY_TIMEOUT_S": "0.5"})
    reader, writer = await asyncio.open_connection(raw_http.HOST, scenario.server.port)
    head = f"POST /api/chat HTTP/1.1\r\nHost: x\r\nX-API-Key: {KEY}\r\nContent-Type: {JSON}\r\n"
    writer.write(head.encode() + b"Content-Length: 1000\r\n\r\n{")
    async with asyncio.timeout(30):
        answer = await reader.read()  # to the end of the connection
    writer.close()
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b'"code":"request_timeout"' in answer
    assert await scenario.fetch("SELECT 1 FROM runs") == []


@pytest.mark.parametrize(
    "external_id", ["a/b", "..", ".", "a?b", "a#b", " ", f"conv_{CONVERSATION}", CONVERSATION]
)
async def test_external_ids_that_name_nothing_else_or_nothing_at_all(
    scenario: Scenario, external_id: str
) -> None:
    body = {"external_id": external_id}
    status, response = await scenario.call("POST", "/api/conversations", body)
    assert (status, response["code"]) == (422, "validation_error")


async def test_external_ids_may_be_odd(scenario: Scenario) -> None:
    for external_id in ("v1.2", "a b", "ünïcode:%2F"):
        body = {"external_id": external_id}
        assert (await scenario.call("POST", "/api/conversations", body))[0] == 201
        status, response = await scenario.call("GET", f"/api/conversations/{quote(external_id)}")
        assert (status, response["id"]) == (200, external_id)


@pytest.mark.parametrize("path", ["/health", "/ready"])
async def test_probes_may_use_head(scenario: Scenario, path: str) -> None:
    answer = await raw_http.request(scenario.server.port, "HEAD", path, {}, b"")
    async with answer:
        assert answer.status == 200

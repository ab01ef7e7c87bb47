"""Pages of listed origins may call, with preflight; those of others may not, and read nothing."""

from collections.abc import Iterator

import pytest
from tests.harness.fake_provider.launch import FakeProvider
from tests.harness.scenario import Scenario
from tests.harness.server import KEY, Server
from tests.security.routes import ask, every_route

LISTED = "https://app.example"
FOREIGN = ["https://evil.example", "null", "http://app.example", f"{LISTED}.evil.example", "*"]
CREDENTIALS = {"X-API-Key": KEY, "Cookie": "cartrita_session=a"}
WANTED = "authorization, content-type, idempotency-key, last-event-id, x-api-key"
WANTED_BY_SDKS = "anthropic-version, x-stainless-lang, x-stainless-retry-count, x-api-key"


@pytest.fixture(scope="module")
def port(provider: FakeProvider) -> Iterator[int]:
    """Of a server with one other origin."""
    settings = {"CARTRITA_CORS_ORIGINS": LISTED, "CARTRITA_SERVER_CORS_MAX_AGE_S": "120"}
    with Server(provider_url=provider.base_url, settings=settings) as server:
        yield server.port


def preflight(origin: str, method: str, headers: str = WANTED) -> dict[str, str]:
    return {
        "Origin": origin,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": headers,
    }


async def test_preflights_of_a_listed_origin(port: int) -> None:
    for method, path in every_route():
        wanted = WANTED_BY_SDKS if path.startswith("/v1/") else WANTED
        status, headers, _ = await ask(port, "OPTIONS", path, preflight(LISTED, method, wanted))
        expected = 200 if method != "HEAD" else 400
        assert (method, path, status) == (method, path, expected)
        assert headers["access-control-allow-origin"] == LISTED
        assert headers["access-control-allow-credentials"] == "true"
        assert headers["access-control-max-age"] == "120"
        assert "origin" in headers["vary"].lower()
        assert "*" not in headers["access-control-allow-headers"]


@pytest.mark.parametrize("origin", FOREIGN)
async def test_other_origins_are_told_nothing(port: int, origin: str) -> None:
    for method, path in every_route():
        status, headers, _ = await ask(port, "OPTIONS", path, preflight(origin, method))
        assert (method, path, status) == (method, path, 400)
        assert "access-control-allow-origin" not in headers
        if method == "GET":
            _, headers, _ = await ask(port, method, path, {"Origin": origin, **CREDENTIALS})
            assert "access-control-allow-origin" not in headers


async def test_headers_and_methods_that_are_not_listed(port: int) -> None:
    for asked in (
        preflight(LISTED, "POST", "x-anything"),
        preflight(LISTED, "TRACE"),
        preflight(LISTED, "CONNECT"),
    ):
        assert (await ask(port, "OPTIONS", "/api/chat", asked))[0] == 400


@pytest.mark.parametrize("path", ["/api/models", "/v1/models", "/api/none", "/none"])
async def test_a_listed_page_reads_answers_and_errors(port: int, path: str) -> None:
    for credentials in ({"X-API-Key": KEY}, {}):
        _, headers, _ = await ask(port, "GET", path, {"Origin": LISTED, **credentials})
        assert headers["access-control-allow-origin"] == LISTED
        assert "ratelimit-policy" in headers["access-control-expose-headers"].lower()


async def test_a_listed_page_reads_answers_of_hot_paths(port: int) -> None:
    body = {"model": "openai/fake", "messages": [{"role": "user", "content": "hello"}]}
    asked = {"Origin": LISTED, "X-API-Key": KEY}
    status, headers, _ = await ask(port, "POST", "/v1/chat/completions", asked, body)
    assert (status, headers["access-control-allow-origin"]) == (200, LISTED)


async def test_without_listed_origins_there_is_no_cors(scenario: Scenario) -> None:
    for method, path in every_route():
        asked = preflight(LISTED, method)
        status, headers, _ = await ask(scenario.server.port, "OPTIONS", path, asked)
        assert (method, path, status) == (method, path, 405)
        assert not [name for name in headers if name.startswith("access-control-")]

"""Every answer, also every error, carries the headers that protect its readers, and an id."""

import re
from collections.abc import Mapping

import pytest
from tests.harness import raw_http
from tests.harness.fixtures import Serve
from tests.harness.scenario import Scenario
from tests.harness.server import KEY
from tests.security.routes import ask, every_route

PROTECTING = {
    "server": "cartrita",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


def require_protection(headers: Mapping[str, str]) -> None:
    assert {name: headers.get(name) for name in PROTECTING} == PROTECTING
    assert headers["cache-control"].startswith(("no-store", "no-cache"))
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert re.fullmatch(r"[A-Za-z0-9._:-]{1,128}", headers["x-request-id"])
    assert "x-powered-by" not in headers
    assert "strict-transport-security" not in headers


@pytest.mark.parametrize("key", [None, KEY])
async def test_every_route(scenario: Scenario, key: str | None) -> None:
    for method, path in every_route():
        if path == "/docs" and key:
            continue  # its page loads scripts
        body = {} if method in ("POST", "PUT", "PATCH") else None
        credential = {"X-API-Key": key} if key else {}
        status, headers, _ = await ask(scenario.server.port, method, path, credential, body)
        assert status < 500, (method, path)
        require_protection(headers)


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "/none", {}, 404),
        ("TRACE", "/api/chat", {}, 405),
        ("GET", "/api/chat/stream?message=" + "x" * 20_000, {}, 414),
        ("PATCH", "/api/conversations/none", {"Content-Length": str(1 << 40)}, 413),
    ],
)
async def test_errors_before_any_route(
    scenario: Scenario, method: str, path: str, headers: dict[str, str], status: int
) -> None:
    asked = {"X-API-Key": KEY, "Content-Type": "application/json", "Expect": "100-continue"}
    asked = {**asked, **headers} if headers else {"X-API-Key": KEY}
    answer = await raw_http.request(scenario.server.port, method, path, asked)
    async with answer:
        assert answer.status == status
        require_protection(answer.headers)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("abc-1.2:3_4", True),
        ("x" * 128, True),
        ("x" * 129, False),
        ("a b", False),
        ("<script>", False),
        ("é", False),
        ("'; DROP TABLE runs; --", False),
    ],
)
async def test_ids_of_requests(scenario: Scenario, given: str, kept: bool) -> None:
    for path in ("/health", "/api/models", "/v1/models", "/none"):
        _, headers, _ = await ask(scenario.server.port, "GET", path, {"X-Request-ID": given})
        assert (headers["x-request-id"] == given) == kept


async def test_https_is_asked_for_where_it_is_configured(serve: Serve) -> None:
    settings = {"CARTRITA_SERVER_HSTS_S": "31536000", "CARTRITA_TRUSTED_PROXIES": "127.0.0.1"}
    port = serve(settings=settings).server.port
    for path in ("/health", "/api/models", "/none"):
        _, headers, _ = await ask(port, "GET", path, {"X-Forwarded-Proto": "https"})
        assert headers["strict-transport-security"] == "max-age=31536000"
        _, headers, _ = await ask(port, "GET", path)
        assert "strict-transport-security" not in headers

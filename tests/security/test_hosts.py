"""No Host, path or forwarding header lets a request past authentication."""

import asyncio

import pytest
from tests.harness.raw_http import HOST
from tests.harness.scenario import Scenario
from tests.security.routes import protected_routes

HOSTS = [
    "x/health?",
    "x/health#",
    "x#",
    "x?",
    "x\\@y",
    "x@y",
    "/health",
    "127.0.0.1/health",
    "[::1]/health?",
    "x:80/health?",
    "x%2fhealth%3f",
    "",
    " ",
    "a, b",
    "a b",
    "@",
    "[::1",
    "x:99999",
]
PATHS = [
    "//health/..{path}",
    "/health/..{path}",
    "/%2e%2e{path}",
    "/.{path}",
    "{path}?/health",
    "{path}#/health",
    "{path};/health",
    "{path}%3f/health",
    "http://x{path}",
    "{path}/",
    "{path}%2f",
    "/%61{path}",
]


async def statuses(port: int, requests: list[bytes]) -> list[int]:
    """One connection each, since some answers close theirs."""

    async def one(request: bytes) -> int:
        reader, writer = await asyncio.open_connection(HOST, port)
        writer.write(request)
        async with asyncio.timeout(30):
            line = await reader.readline()
        writer.close()
        return int(line.split()[1]) if line else 0

    found: list[int] = []
    for first in range(0, len(requests), 50):
        found += await asyncio.gather(*(one(request) for request in requests[first : first + 50]))
    return found


def asked(method: str, target: str, *headers: str) -> bytes:
    lines = [f"{method} {target} HTTP/1.1", *headers, "Connection: close", "Content-Length: 0"]
    return "\r\n".join([*lines, "", ""]).encode()


@pytest.mark.parametrize("host", HOSTS)
async def test_hosts(scenario: Scenario, host: str) -> None:
    routes = protected_routes()
    requests = [asked(method, path, f"Host: {host}") for method, path in routes]
    found = await statuses(scenario.server.port, requests)
    assert set(found) <= {400, 401}, [r for r, s in zip(routes, found, strict=True) if s == 200]
    assert 401 in found or host != "x#"


async def test_two_hosts_and_none(scenario: Scenario) -> None:
    routes = protected_routes()
    for headers in (["Host: a", "Host: x/health?"], []):
        requests = [asked(method, path, *headers) for method, path in routes]
        assert set(await statuses(scenario.server.port, requests)) <= {400, 401}


@pytest.mark.parametrize("path", PATHS)
async def test_paths(scenario: Scenario, path: str) -> None:
    routes = protected_routes()
    requests = [asked(method, path.format(path=at), "Host: a") for method, at in routes]
    found = await statuses(scenario.server.port, requests)
    assert set(found) <= {400, 401, 404, 405}


@pytest.mark.parametrize(
    "header",
    [
        "X-Original-URL: /health",
        "X-Rewrite-URL: /health",
        "X-Forwarded-Host: x/health?",
        "X-Forwarded-Prefix: /health?",
        "X-Forwarded-For: 127.0.0.1",
        "Forwarded: for=127.0.0.1;host=x",
        "X-HTTP-Method-Override: GET",
        "X-Real-IP: 127.0.0.1",
    ],
)
async def test_forwarding_headers(scenario: Scenario, header: str) -> None:
    routes = protected_routes()
    requests = [asked(method, path, "Host: a", header) for method, path in routes]
    assert set(await statuses(scenario.server.port, requests)) == {401}

"""Every route that a server has, with its ids filled in, and how to ask for it."""

import json
from collections.abc import Mapping
from typing import Any

from tests.harness import raw_http
from tests.security.cells import all_routes

PUBLIC = {
    ("GET", "/"),
    ("HEAD", "/"),
    ("GET", "/assets/none"),
    ("HEAD", "/assets/none"),
    ("GET", "/.well-known/agent-card.json"),
    ("GET", "/a2a/none/.well-known/agent-card.json"),
    ("GET", "/health"),
    ("HEAD", "/health"),
    ("GET", "/ready"),
    ("HEAD", "/ready"),
    ("POST", "/api/session"),
}
"""What anybody may ask for; `POST /api/session` is where credentials are shown."""


def every_route() -> list[tuple[str, str]]:
    """(method, path) of all, with an id that nothing has."""
    return sorted({(route.method, _filled(route.path)) for route in all_routes()})


def protected_routes() -> list[tuple[str, str]]:
    return [route for route in every_route() if route not in PUBLIC]


async def ask(
    port: int,
    method: str,
    path: str,
    headers: Mapping[str, str] | None = None,
    body: Any = None,
    address: str = raw_http.HOST,
) -> tuple[int, dict[str, str], bytes]:
    """One request from an address: its status, headers and body."""
    sent = b"" if body is None else json.dumps(body).encode()
    kind = {} if body is None else {"Content-Type": "application/json"}
    named = {**kind, **(headers or {})}
    answer = await raw_http.request(port, method, path, named, sent, address=address)
    async with answer:
        raw = b"" if method == "HEAD" else await answer.body()
    return answer.status, answer.headers, raw


def _filled(path: str) -> str:
    while "{" in path:
        before, _, rest = path.partition("{")
        path = f"{before}none{rest.partition('}')[2]}"
    return path

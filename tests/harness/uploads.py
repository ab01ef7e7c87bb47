"""Uploads as clients send them, and waiting for what becomes of them."""

import json
from collections.abc import Mapping
from typing import Any

from tests.harness import raw_http
from tests.harness.documents import form
from tests.harness.scenario import Scenario, eventually
from tests.harness.server import KEY

Headers = Mapping[str, str]


async def send(
    scenario: Scenario,
    *files: tuple[str, str, bytes],
    path: str = "/api/upload",
    fields: Mapping[str, str] | None = None,
    headers: Headers | None = None,
) -> tuple[int, dict[str, Any]]:
    """Upload a form with files, each its field, name and bytes."""
    kind, body = form(*files, fields=fields)
    sent = {"X-API-Key": KEY, "Content-Type": kind, **(headers or {})}
    answer = await raw_http.request(scenario.server.port, "POST", path, sent, body)
    async with answer:
        return answer.status, json.loads(await answer.body())


async def uploaded(scenario: Scenario, name: str, content: bytes, **fields: str) -> dict[str, Any]:
    """A file that has been uploaded and read, as far as it can be."""
    status, told = await send(scenario, ("file", name, content), fields=fields)
    assert status == 201, told
    return await settled(scenario, told["file_id"])


async def settled(scenario: Scenario, file_id: str) -> dict[str, Any]:
    """A file that waits no longer to be read."""

    async def look() -> dict[str, Any] | None:
        status, told = await scenario.call("GET", f"/api/files/{file_id}")
        assert status == 200, told
        return told if told["status"] in ("ready", "unreadable") else None

    return await eventually(look)


async def fetch(
    scenario: Scenario, path: str, method: str = "GET", **headers: str
) -> tuple[int, dict[str, str], bytes]:
    """One request of the local owner; header names are written with underscores."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    sent = {"X-API-Key": KEY, **named}
    async with await raw_http.request(scenario.server.port, method, path, sent) as answer:
        body = b"" if answer.status == 304 or method == "HEAD" else await answer.body()
        return answer.status, answer.headers, body

"""Requests of the vendors' SDKs over a socket, byte for byte, and what the upstream got of them."""

import json
from collections.abc import Mapping
from typing import Any

from tests.harness import raw_http
from tests.harness.fake_provider.request_log import Exchange
from tests.harness.scenario import Scenario
from tests.harness.server import KEY

MAPPED = {"Content-Type": "application/json", "Authorization": f"Bearer {KEY}"}


async def post(
    scenario: Scenario, path: str, body: Mapping[str, Any] | bytes, **headers: str
) -> tuple[int, dict[str, str], bytes]:
    """One request; the status, headers and body of its answer. Header names with underscores."""
    async with await begin(scenario, path, body, **headers) as answer:
        return answer.status, answer.headers, await answer.body()


async def begin(
    scenario: Scenario, path: str, body: Mapping[str, Any] | bytes, **headers: str
) -> raw_http.Answer:
    """The same, of whose answer the head has been read."""
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await raw_http.request(scenario.server.port, "POST", path, {**MAPPED, **named}, sent)


async def post_json(
    scenario: Scenario, path: str, body: Mapping[str, Any] | bytes, **headers: str
) -> tuple[int, dict[str, Any]]:
    """The status and the JSON of an answer."""
    status, _, answered = await post(scenario, path, body, **headers)
    return status, json.loads(answered)


def frames(body: bytes) -> list[tuple[str, Any]]:
    """The events of a stream: the name (empty without one) and the JSON of each, comments not."""
    found: list[tuple[str, Any]] = []
    for block in body.decode().split("\n\n"):
        lines = [line for line in block.split("\n") if line and not line.startswith(":")]
        fields = dict(line.split(": ", 1) for line in lines)
        if "data" in fields:
            data = fields["data"]
            found.append((fields.get("event", ""), data if data == "[DONE]" else json.loads(data)))
    return found


def exchange_with(scenario: Scenario, needle: str) -> Exchange:
    """The only request to the provider that holds these words."""
    (found,) = [each for each in scenario.provider.requests() if needle in each.body]
    return found

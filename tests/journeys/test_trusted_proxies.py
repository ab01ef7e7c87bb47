"""X-Forwarded-Proto is believed from configured proxies only."""

import json
from typing import Any

import pytest
from tests.harness import raw_http
from tests.harness.scenario import Scenario
from tests.harness.server import KEY

SAID = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.7"}


async def sign_in(scenario: Scenario, origin_scheme: str) -> tuple[int, str]:
    """From the page that the proxy serves, through the proxy; the status and the cookie."""
    host = f"{raw_http.HOST}:{scenario.server.port}"
    headers = {
        **SAID,
        "Host": host,
        "Origin": f"{origin_scheme}://{host}",
        "Content-Type": "application/json",
        "X-API-Key": KEY,
    }
    body = json.dumps({}).encode()
    async with await raw_http.request(
        scenario.server.port, "POST", "/api/session", headers, body
    ) as answer:
        await answer.body()
        return answer.status, answer.headers.get("set-cookie", "")


@pytest.mark.parametrize(
    ("trusted", "scheme"), [("127.0.0.0/8", "https"), ("10.0.0.0/8", "http"), ("", "http")]
)
async def test_scheme_comes_from_a_trusted_proxy(serve: Any, trusted: str, scheme: str) -> None:
    scenario: Scenario = serve(settings={"CARTRITA_TRUSTED_PROXIES": trusted})
    status, cookie = await sign_in(scenario, scheme)
    assert status == 200
    assert ("secure" in cookie.lower()) == (scheme == "https")
    other = {"http": "https", "https": "http"}[scheme]
    assert await sign_in(scenario, other) == (403, "")

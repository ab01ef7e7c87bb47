"""X-Forwarded-Proto is believed from configured proxies only."""

import json

import pytest
from tests.harness import raw_http
from tests.harness.fixtures import Serve
from tests.harness.scenario import Scenario
from tests.harness.server import KEY

SAID = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.7"}


PROXY = "127.0.0.2"


async def sign_in(scenario: Scenario, address: str, origin_scheme: str) -> tuple[int, str]:
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
        scenario.server.port, "POST", "/api/session", headers, body, address=address
    ) as answer:
        await answer.body()
        return answer.status, answer.headers.get("set-cookie", "")


async def assert_scheme(scenario: Scenario, address: str, scheme: str) -> None:
    """Pages of this scheme are the server's own, and those of the other are not."""
    status, cookie = await sign_in(scenario, address, scheme)
    assert status == 200
    assert ("secure" in cookie.lower()) == (scheme == "https")
    other = {"http": "https", "https": "http"}[scheme]
    assert await sign_in(scenario, address, other) == (403, "")


@pytest.mark.parametrize(("address", "scheme"), [(PROXY, "https"), (raw_http.HOST, "http")])
async def test_scheme_comes_from_a_trusted_proxy(shared: Serve, address: str, scheme: str) -> None:
    scenario = shared(settings={"CARTRITA_TRUSTED_PROXIES": f"{PROXY}, 10.0.0.0/8"})
    await assert_scheme(scenario, address, scheme)


async def test_without_proxies_it_comes_from_nobody(scenario: Scenario) -> None:
    await assert_scheme(scenario, raw_http.HOST, "http")

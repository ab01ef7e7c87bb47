"""Browser authentication: login link, cookie, tickets for event streams, CSRF, logout."""

import json
import re
from typing import Any
from urllib.parse import urlencode

import pytest
from tests.harness import raw_http
from tests.harness.fake_provider.script import Script
from tests.harness.scenario import Scenario
from tests.harness.server import KEY

JSON = "application/json"
EVENTS = "text/event-stream"
FOREIGN = "http://localhost:9"
SCRIPT = Script(words=5)


class Browser:
    """What a page of ours can do: it has a cookie jar, and its requests say whence they come."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.origin = f"http://{raw_http.HOST}:{scenario.server.port}"
        self.cookie = ""

    async def fetch(
        self, method: str, path: str, body: dict[str, Any] | None = None, /, **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        """`fetch` from our own page; a header given as "" is left out."""
        sent = {
            "Cookie": self.cookie,
            "Origin": "" if method == "GET" else self.origin,
            "Sec-Fetch-Site": "same-origin",
            "Content-Type": "" if body is None else JSON,
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        octets = b"" if body is None else json.dumps(body).encode()
        named = {name: value for name, value in sent.items() if value}
        async with await raw_http.request(
            self.scenario.server.port, method, path, named, octets
        ) as answer:
            raw = await answer.body()
            if "set-cookie" in answer.headers:
                self.cookie = answer.headers["set-cookie"].partition(";")[0]
            return answer.status, answer.headers, raw

    async def event_source(self, query: dict[str, str], /, **headers: str) -> tuple[int, bytes]:
        """`new EventSource`, read to its end."""
        path = f"/api/chat/stream?{urlencode(query)}"
        status, _, raw = await self.fetch("GET", path, Accept=EVENTS, **headers)
        return status, raw


@pytest.fixture
def browser(scenario: Scenario) -> Browser:
    return Browser(scenario)


async def signed_in(browser: Browser) -> Browser:
    status, headers, _ = await browser.fetch("POST", "/api/session", {}, X_API_Key=KEY)
    assert status == 200
    assert {"HttpOnly", "Path=/"} <= set(headers["set-cookie"].split("; "))
    assert "samesite=strict" in headers["set-cookie"].lower()
    return browser


def asked(browser: Browser) -> dict[str, str]:
    message = browser.scenario.message(SCRIPT)
    return {"message": message, "provider": "openai", "model": "fake"}


def answered(browser: Browser, query: dict[str, str], raw: bytes) -> bool:
    last = json.loads(raw.decode().rstrip().rpartition("data: ")[2])
    return last["data"]["final_response"] == browser.scenario.answers[query["message"]]


async def test_login_link_works_once(serve: Any) -> None:
    scenario: Scenario = serve()
    printed = scenario.server.log_path.read_text()
    code = re.findall(r"/#code=(\S+)", printed)[-1]
    browser = Browser(scenario)
    foreign = await browser.fetch("POST", "/api/session", {"code": code}, Origin=FOREIGN)
    assert foreign[0] == 403
    assert (await browser.fetch("POST", "/api/session", {"code": code}))[0] == 200
    assert (await browser.fetch("GET", "/api/conversations"))[0] == 200
    again = Browser(scenario)
    assert (await again.fetch("POST", "/api/session", {"code": code}))[0] == 401
    assert not again.cookie
    wrong = await again.fetch("POST", "/api/session", {"code": "made-up"})
    assert wrong[0] == 401


async def test_event_source_with_a_cookie(browser: Browser) -> None:
    await signed_in(browser)
    query = asked(browser)
    status, raw = await browser.event_source(query)
    assert status == 200
    assert answered(browser, query, raw)


@pytest.mark.parametrize(
    "headers",
    [
        {"Accept": "*/*"},
        {"Accept": "image/avif,*/*"},
        {"Sec_Fetch_Site": ""},
        {"Sec_Fetch_Site": "same-site"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "none"},
        {"Sec_Fetch_Site": "cross-site", "Origin": FOREIGN},
        {"Sec_Fetch_Site": "same-site", "Origin": "null"},
    ],
)
async def test_cookie_from_another_origin_starts_no_run(
    browser: Browser, headers: dict[str, str]
) -> None:
    await signed_in(browser)
    before = await browser.scenario.fetch("SELECT count(*) AS n FROM runs")
    path = f"/api/chat/stream?{urlencode(asked(browser))}"
    status, _, raw = await browser.fetch("GET", path, **{"Accept": EVENTS, **headers})
    assert status == 403, raw
    for origin in (FOREIGN, "null", ""):
        body = {"message": "hello"}
        assert (await browser.fetch("POST", "/api/chat", body, Origin=origin))[0] == 403
    form = {"Content_Type": "application/x-www-form-urlencoded"}
    assert (await browser.fetch("POST", "/api/chat", {"message": "hello"}, **form))[0] == 415
    assert await browser.scenario.fetch("SELECT count(*) AS n FROM runs") == before


async def test_ticket_starts_and_resumes_one_stream(browser: Browser) -> None:
    status, _, raw = await browser.fetch("POST", "/api/stream-tickets", X_API_Key=KEY)
    assert status == 201
    ticket = json.loads(raw)["ticket"]
    query = {**asked(browser), "ticket": ticket}
    status, raw = await browser.event_source(query)
    assert status == 200
    assert answered(browser, query, raw)
    # Cut before the first id: the same run, whole, and the model is not asked again.
    assert answered(browser, query, (await browser.event_source(query))[1])
    assert len(await browser.scenario.calls_for(query["message"])) == 1
    # Cut later: what is left of it, and 204 at its end.
    ids = re.findall(rb"id: (\S+)", raw)
    status, rest = await browser.event_source(query, Last_Event_ID=ids[2].decode())
    assert status == 200
    assert re.findall(rb"id: (\S+)", rest) == [ids[2], *ids[3:]]
    assert (await browser.event_source(query, Last_Event_ID=ids[-1].decode()))[0] == 204


async def test_ticket_is_valid_for_its_stream_only(browser: Browser) -> None:
    other = await browser.scenario.chat()
    _, _, raw = await browser.fetch("POST", "/api/stream-tickets", X_API_Key=KEY)
    ticket = json.loads(raw)["ticket"]
    query = {**asked(browser), "ticket": ticket}
    assert (await browser.fetch("GET", f"/api/conversations?ticket={ticket}"))[0] == 401
    path = f"/api/runs/{other['run_id']}/events?ticket={ticket}"
    assert (await browser.fetch("GET", path, Accept=EVENTS))[0] == 401
    fresh = await browser.event_source(query, Last_Event_ID=f"{other['run_id']}.1")
    assert fresh[0] == 401  # it has started nothing yet
    assert (await browser.event_source(query))[0] == 200
    status, _ = await browser.event_source(query, Last_Event_ID=f"{other['run_id']}.1")
    assert status == 404
    _, _, raw = await browser.fetch("POST", "/api/stream-tickets", X_API_Key=KEY)
    stolen = {**asked(browser), "ticket": json.loads(raw)["ticket"]}
    cross = {"Sec_Fetch_Site": "cross-site", "Origin": FOREIGN}
    assert (await browser.event_source(stolen, **cross))[0] == 401


async def test_logout(browser: Browser) -> None:
    await signed_in(browser)
    assert (await browser.fetch("DELETE", "/api/session", Origin=FOREIGN))[0] == 403
    assert (await browser.fetch("DELETE", "/api/session"))[0] == 204
    assert browser.cookie.partition("=")[2] in ("", '""')
    assert (await browser.fetch("GET", "/api/conversations"))[0] == 401


async def test_without_keys_only_local_origins(serve: Any) -> None:
    scenario: Scenario = serve(settings={"CARTRITA_AUTH": "loopback", "CARTRITA_BOOTSTRAP_KEY": ""})
    browser = Browser(scenario)
    assert (await browser.fetch("GET", "/api/conversations"))[0] == 200
    assert (await browser.fetch("POST", "/api/conversations", {}))[0] == 201
    for headers in (
        {"Host": "rebound.example"},  # beside the true one
        {"Origin": FOREIGN, "Sec_Fetch_Site": "same-site"},
        {"Sec_Fetch_Site": "cross-site"},
    ):
        path = f"/api/chat/stream?{urlencode(asked(browser))}"
        status, _, raw = await browser.fetch("GET", path, **headers)
        assert status == 403, raw
    assert await scenario.fetch("SELECT 1 FROM runs") == []

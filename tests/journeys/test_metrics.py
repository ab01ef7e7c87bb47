"""What happens on a real server is counted, and scraped as Prometheus does it."""

import asyncio
import signal
from collections.abc import AsyncIterator, Iterator
from typing import Any
from uuid import uuid4

import pytest
from tests.backend.adapters.metrics.pages import Page, parsed
from tests.harness import processes, raw_http
from tests.harness.fake_provider.launch import FakeProvider
from tests.harness.fake_provider.replaced_responses import ReplacedResponse
from tests.harness.fake_provider.script import Script, ToolCall, directive
from tests.harness.fixtures import Serve
from tests.harness.one_worker import SETTINGS, OneWorker, workers_of
from tests.harness.scenario import Scenario, eventually
from tests.harness.server import KEY, Server
from tests.harness.websockets import opened
from tests.journeys.accounts import new_key, new_tenant, new_user
from tests.journeys.v1 import begin, post, post_json
from websockets.exceptions import InvalidStatus

CONFIGURATION = """
[routes.sure]
deployments = ["openai/fake", "openai/fake-words"]
"""
PRICES = """
[[prices]]
provider = "openai"
model = "fake"
checked = 2026-11-28
source = "made up"
input = "1000000"
output = "1000000"
"""
CHAT = "/v1/chat/completions"
MANY, AT_ONCE = 1000, 32


@pytest.fixture(scope="module")
def server(provider: FakeProvider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One worker, with a route, and a model that has a price: a dollar for a token."""
    folder = tmp_path_factory.mktemp("metrics")
    (folder / "cartrita.toml").write_text(CONFIGURATION)
    (folder / "prices.toml").write_text(PRICES)
    settings = {
        "CARTRITA_CONFIG": str(folder / "cartrita.toml"),
        "CARTRITA_LEDGER_PRICES": str(folder / "prices.toml"),
        "CARTRITA_ROUTES_FIRST_PAUSE_S": "0.02",
    }
    with Server(provider_url=provider.base_url, settings=settings) as running:
        yield running


@pytest.fixture
def counted(server: Server, provider: FakeProvider) -> Scenario:
    return Scenario(server, provider)


async def told(scenario: Scenario, key: str = KEY) -> tuple[int, dict[str, str], str]:
    """The answer to a scrape."""
    asked = {"Authorization": f"Bearer {key}"} if key else {}
    port = scenario.server.port
    async with await raw_http.request(port, "GET", "/metrics", asked) as answer:
        return answer.status, answer.headers, (await answer.body()).decode()


async def scraped(scenario: Scenario) -> Page:
    status, headers, text = await told(scenario)
    assert status == 200, text
    assert headers["content-type"].startswith("text/plain; version=0.0.4")
    return parsed(text)


async def grown(scenario: Scenario, before: Page, name: str, by: float, **labels: str) -> Page:
    """The page on which a value is so much more: what follows an answer may come after it."""

    async def look() -> Page | None:
        page = await scraped(scenario)
        return page if page.value(name, **labels) - before.value(name, **labels) >= by else None

    page = await eventually(look)
    assert page.value(name, **labels) - before.value(name, **labels) == pytest.approx(by)
    return page


def asked(text: str, **fields: Any) -> dict[str, Any]:
    return {"model": "openai/fake", "messages": [{"role": "user", "content": text}], **fields}


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
async def test_a_relay(counted: Scenario, streamed: bool) -> None:
    before = await scraped(counted)
    text = counted.message(Script(words=5, cache_read_tokens=40))
    status, _, _ = await post(counted, CHAT, asked(text, stream=streamed))
    assert status == 200
    call = {"surface": "openai_chat", "provider": "openai", "model": "fake"}
    page = await grown(
        counted, before, "cartrita_provider_calls_total", 1, outcome="completed", **call
    )
    route = {"surface": "openai", "method": "POST", "route": CHAT, "status": "200"}
    page = await grown(counted, before, "cartrita_http_requests_total", 1, **route)

    def more(name: str, **labels: str) -> float:
        return page.value(name, **labels) - before.value(name, **labels)

    assert more("cartrita_tokens_total", **{"class": "cache_read", **call}) == 40
    tokens = [
        more("cartrita_tokens_total", **{"class": each, **call}) for each in ("input", "output")
    ]
    assert tokens[0] > 40
    assert tokens[1] > 0
    assert more("cartrita_cost_dollars_total", **call) == pytest.approx(sum(tokens))
    assert more("cartrita_first_token_seconds_count", provider="openai") == int(streamed)
    assert more("cartrita_provider_call_seconds_count", provider="openai") == 1
    assert more("cartrita_http_request_seconds_count", route=CHAT) == 1


async def test_a_provider_that_fails(counted: Scenario) -> None:
    before = await scraped(counted)
    text = counted.message(Script(faults=(ReplacedResponse(status=401),)))
    status, _ = await post_json(counted, CHAT, asked(text))
    assert status >= 400
    page = await grown(
        counted,
        before,
        "cartrita_provider_errors_total",
        1,
        provider="openai",
        code="upstream_auth",
    )
    name = "cartrita_provider_calls_total"
    assert page.value(name, outcome="failed") - before.value(name, outcome="failed") == 1
    name = "cartrita_http_requests_total"
    labels = {"route": CHAT, "status": str(status)}
    assert page.value(name, **labels) - before.value(name, **labels) == 1
    assert page.value("cartrita_deployments_unhealthy", provider="openai") >= 1


async def test_a_failover(counted: Scenario) -> None:
    before = await scraped(counted)
    scripts = Script(faults=(ReplacedResponse(status=500),)), Script(text="Here.")
    text = f"needle-{uuid4().hex} {directive(*scripts)}"
    status, answer = await post_json(counted, CHAT, asked(text, model="sure"))
    assert status == 200, answer
    page = await grown(
        counted, before, "cartrita_failovers_total", 1, provider="openai", continued="no"
    )
    name = "cartrita_provider_errors_total"
    labels = {"provider": "openai", "code": "upstream_overloaded"}
    assert page.value(name, **labels) - before.value(name, **labels) == 1
    assert "fake-words" in page.label_values("cartrita_provider_calls_total", "model")


async def test_a_run_with_agents(counted: Scenario) -> None:
    before = await scraped(counted)
    task = f"Do {uuid4().hex}. {directive(Script(text='Forty-two.'))}"
    call = ToolCall(name="delegate", arguments={"agent": "writer", "task": task})
    scripts = Script(text="I ask.", tool_calls=(call,)), Script(text="It is 42.")
    message = f"needle-{uuid4().hex} {directive(*scripts)}"
    status, answer = await counted.call("POST", "/api/chat", {"message": message})
    assert status == 200, answer
    page = await grown(
        counted, before, "cartrita_runs_left_total", 1, surface="native", status="completed"
    )
    agents = {"supervisor": 2, "writer": 1}
    for agent, calls in agents.items():
        name = "cartrita_agent_calls_total"
        assert page.value(name, agent=agent) - before.value(name, agent=agent) == calls
    assert page.value("cartrita_runs_active") == 0
    for name in ("flush_seconds_count", "flush_events_sum", "flushed_runs_total"):
        named = f"cartrita_run_log_{name}"
        assert page.value(named) > before.value(named)


async def test_a_socket(counted: Scenario) -> None:
    before = await scraped(counted)
    async with opened(counted.server.port) as socket:
        message = counted.message(Script(words=3))
        await socket.send(type="chat", message=message, provider="openai", model="fake")
        await socket.until_end()
        await grown(counted, before, "cartrita_websockets_open", 1, path="/ws/chat")
    page = await grown(counted, before, "cartrita_websockets_closed_total", 1, path="/ws/chat")
    assert page.value("cartrita_websockets_open") == before.value("cartrita_websockets_open")


async def test_a_socket_that_is_refused(counted: Scenario) -> None:
    before = await scraped(counted)
    with pytest.raises(InvalidStatus):
        async with opened(counted.server.port, key=None, headers={"X-API-Key": "ck_unknown"}):
            pass
    refused = {"route": "/ws/chat", "status": "401"}
    page = await grown(counted, before, "cartrita_http_requests_total", 1, **refused)
    assert page.value("cartrita_websockets_open") == before.value("cartrita_websockets_open")


async def test_a_stream_that_is_open(counted: Scenario) -> None:
    before = await scraped(counted)
    slow = Script(words=200, between_tokens_s=0.05)
    body = {"message": counted.message(slow), "provider": "openai", "model": "fake"}
    async with await begin(counted, "/api/chat/stream", body) as answer:
        assert answer.status == 200
        await anext(answer.chunks())
        page = await grown(counted, before, "cartrita_streams_open", 1)
        assert page.value("cartrita_runs_active") == 1
    await grown(counted, before, "cartrita_http_requests_total", 1, route="/api/chat/stream")
    page = await scraped(counted)
    assert page.value("cartrita_streams_open") == before.value("cartrita_streams_open")


async def test_what_the_server_has(counted: Scenario) -> None:
    await counted.call("GET", "/api/conversations")
    page = await scraped(counted)
    assert page.value("cartrita_ready", worker="0") == 1
    assert page.value("cartrita_workers") == 1
    assert page.value("cartrita_database_connections", pool="requests") >= 1
    assert page.value("cartrita_database_connections_max", pool="run_log") >= 1
    assert page.value("cartrita_process_resident_memory_bytes", worker="0") > 1 << 20
    for name in ("ledger_lost_total", "spans_dropped_total", "run_log_flush_failures_total"):
        assert page.value(f"cartrita_{name}") == 0
        assert f"cartrita_{name}" in page.names


async def test_calls_that_wait(serve: Serve) -> None:
    settings = {
        "CARTRITA_PROVIDER_LIMITS": "openai=4/second",
        "CARTRITA_LIMITS_PROVIDER_BURST": "0.01",
    }
    paced = serve(settings=settings)
    before = await scraped(paced)
    bodies = [asked(paced.message(Script(words=2))) for _ in range(8)]
    asking = asyncio.gather(*(post(paced, CHAT, body) for body in bodies))

    async def wait() -> bool:
        return (await scraped(paced)).value("cartrita_provider_queue_calls", provider="openai") > 0

    await eventually(wait)
    assert {status for status, _, _ in await asking} == {200}
    page = await scraped(paced)
    waits = page.value("cartrita_provider_queue_seconds_count", provider="openai", result="begun")
    assert 4 <= waits <= 8
    assert page.value("cartrita_provider_queue_seconds_sum") > 0.5
    assert page.value("cartrita_provider_queue_calls", provider="openai") == 0
    assert before.value("cartrita_provider_queue_seconds_count") == 0


async def test_made_up_names_are_no_labels(counted: Scenario) -> None:
    """A thousand models and a thousand paths of a caller make two series."""
    await counted.call("GET", f"/api/nothing/{uuid4().hex}")
    await post(counted, CHAT, asked("Hi", model=f"openai/made-up-{uuid4().hex}"))
    other = {"provider": "openai", "model": "other"}
    before = await grown(counted, Page({}, {}), "cartrita_provider_calls_total", 1, **other)
    left = list(range(MANY))

    async def work() -> None:
        while left:
            number = left.pop()
            word = f"pyrope{number}"
            await counted.call("GET", f"/api/{word}/{number}")
            await counted.call("GET", f"/api/runs/{word}")
            await post(counted, CHAT, asked("Hi", model=f"openai/{word}"))

    async with asyncio.TaskGroup() as tasks:
        for _ in range(AT_ONCE):
            tasks.create_task(work())
    page = await grown(counted, before, "cartrita_provider_calls_total", MANY, **other)
    new = {key for key in page.samples if key not in before.samples}
    assert len(new) < 60, (
        new
    )  # the route of runs, with its buckets, and what other tests were first to
    name = "cartrita_http_requests_total"
    assert page.value(name, route="unmatched") - before.value(name, route="unmatched") == MANY
    assert page.value(name, route="/api/runs/{run_id}") >= MANY
    _, _, text = await told(counted)
    assert "pyrope" not in text


async def test_no_text_of_a_caller_is_a_label(counted: Scenario) -> None:
    word = f"needle{uuid4().hex}"
    body = {"message": word, "provider": word, "model": word, "agent": word}
    await counted.call("POST", "/api/chat", body, X_Client_Version=word[:30])
    await counted.call("POST", "/api/chat", {"message": word, "conversation_id": word})
    await counted.call("GET", f"/api/search?q={word}", X_Request_Id=word)
    await counted.call(word[:20].upper(), "/api/chat")
    await post(counted, CHAT, asked(word, user=word, metadata={word: word}))
    async with opened(counted.server.port, target=f"/ws/chat?x={word}") as socket:
        await socket.send(type="chat", message=word, model=word)
        await socket.next()
    _, _, text = await told(counted)
    assert word not in text
    assert word[:20] not in text.lower()
    assert KEY not in text


async def test_who_may_scrape(counted: Scenario) -> None:
    assert (await told(counted, key=""))[0] == 401
    assert (await told(counted, key="ck_unknown_key"))[0] == 401
    user = await new_user(counted, await new_tenant(counted), role="admin")
    other = (await new_key(counted, user))["key"]
    status, _, text = await told(counted, key=other)
    assert (status, "operator_required" in text, "cartrita_" in text) == (403, True, False)
    of_server = (await new_key(counted, "local", scopes={"operations": ["admin"]}))["key"]
    assert (await told(counted, key=of_server))[0] == 200


async def test_they_can_be_switched_off(serve: Serve) -> None:
    off = serve(settings={"CARTRITA_METRICS_ENABLED": "0"})
    assert (await told(off, key=""))[0] == 401
    status, _, text = await told(off)
    assert status == 404
    assert "CARTRITA_METRICS_ENABLED=1" in text
    status, _, _ = await post(off, CHAT, asked(off.message(Script(words=2))))
    assert status == 200


@pytest.fixture(scope="module")
def two_workers(provider: FakeProvider) -> Iterator[Server]:
    with Server(provider_url=provider.base_url, workers=2, settings=SETTINGS) as running:
        yield running


@pytest.fixture
async def pair(two_workers: Server, provider: FakeProvider) -> AsyncIterator[list[OneWorker]]:
    async with workers_of(two_workers, provider) as workers:
        yield workers


async def page_of(worker: OneWorker) -> Page:
    """What one worker tells."""
    answer = await worker._client.get("/metrics")
    assert answer.status_code == 200
    return parsed(answer.text)


async def all_told(worker: OneWorker, requests: float) -> Page:
    """The page of a worker once it tells of so many requests: others' are up to a second old."""

    async def look() -> Page | None:
        page = await page_of(worker)
        return (
            page
            if page.value("cartrita_http_requests_total", route="/api/me") >= requests
            else None
        )

    page = await eventually(look)
    assert page.value("cartrita_http_requests_total", route="/api/me") == requests
    return page


async def test_whichever_worker_is_asked_tells_of_all_and_of_those_that_were_killed(
    pair: list[OneWorker],
) -> None:
    first, second = pair
    for worker, requests in ((first, 3), (second, 4)):
        for _ in range(requests):
            assert (await worker.call("GET", "/api/me"))[0] == 200
    for worker in pair:
        page = await all_told(worker, 7)
        assert page.label_values("cartrita_process_open_fds", "worker") == {"0", "1"}
        assert page.value("cartrita_workers") == 2
    before = await page_of(first)
    assert processes.send([second.worker], signal.SIGKILL) == [second.worker]

    async def replaced() -> bool:
        """What it counted is always told, and what it held only until it is gone."""
        page = await page_of(first)
        assert page.value("cartrita_http_requests_total", route="/api/me") == 7
        start = "cartrita_process_start_time_seconds"
        return page.value("cartrita_workers") == 2 and page.value(start) > before.value(start)

    await eventually(replaced)
    await first.call("GET", "/api/me")
    await all_told(first, 8)

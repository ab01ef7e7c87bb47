"""What the log of a real server tells of requests, calls of models and runs, and what not."""

import asyncio
import json
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from tests.harness import raw_http
from tests.harness.fake_provider.launch import FakeProvider
from tests.harness.fake_provider.replaced_responses import ReplacedResponse
from tests.harness.fake_provider.script import Script, ToolCall, directive
from tests.harness.fixtures import PROVIDER_KEY
from tests.harness.scenario import Scenario, eventually
from tests.harness.server import KEY, OWNER, Server
from tests.harness.voice_sockets import voice
from tests.harness.websockets import opened
from tests.journeys.v1 import post, post_json

Line = dict[str, Any]
OWNERS_NAME = sha256(OWNER.encode()).hexdigest()[:12]
TOOLS = [
    {"type": "function", "function": {"name": each, "parameters": {"type": "object"}}}
    for each in ("add", "sub")
]


@pytest.fixture(scope="module")
def logging_server(provider: FakeProvider) -> Iterator[Server]:
    settings = {
        "ANTHROPIC_BASE_URL": provider.root_url,
        "ANTHROPIC_API_KEY": PROVIDER_KEY,
        "CARTRITA_LOG_LEVEL": "info",
    }
    with Server(provider_url=provider.base_url, settings=settings) as server:
        yield server


@pytest.fixture
def logged(logging_server: Server, provider: FakeProvider) -> Scenario:
    return Scenario(logging_server, provider)


def lines(path: Path) -> list[Line]:
    """The lines of a log; what a server prints for people is none."""
    return [json.loads(each) for each in path.read_text().splitlines() if each.startswith("{")]


def files_of(folder: Path) -> list[Path]:
    return sorted(folder.glob("cartrita.log*"))


async def line(scenario: Scenario, event: str, **keys: object) -> Line:
    """The only line with these keys, when it has been written."""

    async def look() -> list[Line]:
        found = [each for each in lines(scenario.server.log_path) if each["event"] == event]
        return [each for each in found if all(each.get(name) == keys[name] for name in keys)]

    (found,) = await eventually(look)
    return found


def body_for(path: str, message: str, model: str, **fields: Any) -> dict[str, Any]:
    turns = [{"role": "user", "content": message}]
    if path == "/v1/responses":
        return {"model": model, "input": message, "store": False, **fields}
    return {"model": model, "messages": turns, **fields}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("path", "surface", "model"),
    [
        ("/v1/chat/completions", "openai", "openai/fake"),
        ("/v1/chat/completions", "openai", "anthropic/fake"),
        ("/v1/responses", "openai", "openai/fake"),
        ("/v1/responses", "openai", "anthropic/fake"),
        ("/v1/messages", "anthropic", "anthropic/fake"),
        ("/v1/messages", "anthropic", "openai/fake"),
    ],
)
async def test_a_call_leaves_a_line(
    logged: Scenario, path: str, surface: str, model: str, stream: bool
) -> None:
    limit = "max_output_tokens" if path == "/v1/responses" else "max_tokens"
    asked = body_for(path, logged.message(Script(words=5)), model, stream=stream, **{limit: 100})
    request = f"log-{path[4:].replace('/', '-')}-{model.replace('/', '-')}-{stream}"
    status, _, octets = await post(logged, path, asked, X_Request_ID=request)
    assert status == 200
    told = await line(logged, "model_called", request_id=request)
    provider, _, name = model.partition("/")
    assert (told["surface"], told["provider"], told["model"]) == (surface, provider, name)
    assert (told["outcome"], told["streamed"]) == ("completed", stream)
    assert (told["max_tokens"], told["messages"], told["tools"]) == (100, 1, 0)
    assert told["stop_reason"] == "stop"
    assert told["parts"] == {"text": 1}
    assert told["message_id"], told
    assert told["message_id"].encode() in octets
    assert told["output_tokens"] > 0
    if stream or provider != surface:  # translated: its provider streams in any case
        assert 0 <= told["first_token_seconds"] <= told["seconds"]
    else:
        assert told["first_token_seconds"] is None, "all of it came at once"
    assert told["owner"] == OWNERS_NAME
    answered = await line(logged, "request_answered", request_id=request)
    assert (answered["surface"], answered["path"], answered["status"]) == (surface, path, 200)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("model", ["openai/fake", "anthropic/fake"])
async def test_calls_of_tools_are_counted(logged: Scenario, model: str, stream: bool) -> None:
    calls = (ToolCall(name="add", arguments={"a": 1}), ToolCall(name="sub", arguments={"b": 2}))
    asked = body_for(
        "/v1/chat/completions",
        f"Add. {directive(Script(tool_calls=calls))}",
        model,
        tools=TOOLS,
        stream=stream,
    )
    request = f"log-tools-{model.replace('/', '-')}-{stream}"
    status, _, _ = await post(logged, "/v1/chat/completions", asked, X_Request_ID=request)
    assert status == 200
    told = await line(logged, "model_called", request_id=request)
    assert (told["tools"], told["stop_reason"]) == (2, "tool_call")
    assert told["parts"]["tool_call"] == 2


async def test_a_call_that_fails_says_how(logged: Scenario) -> None:
    refusal = ReplacedResponse(status=400, body='{"error": {"message": "No.", "code": "odd"}}')
    message = f"Fail. {directive(Script(faults=(refusal,)))}"
    asked = body_for("/v1/chat/completions", message, "openai/fake")
    status, _ = await post_json(logged, "/v1/chat/completions", asked, X_Request_ID="log-fail")
    assert status == 400
    told = await line(logged, "model_called", request_id="log-fail")
    assert (told["outcome"], told["stop_reason"], told["parts"]) == ("failed", None, {})
    assert told["code"]


async def test_a_run_leaves_a_line_with_its_calls(logged: Scenario) -> None:
    answer = await logged.chat(Script(words=4))
    run = answer["run_id"].removeprefix("run_")
    told = await line(logged, "run_ended", run_id=run)
    assert told["surface"] == "native"
    assert (told["status"], told["stop_reason"]) == ("completed", "stop")
    assert (told["provider"], told["model"]) == ("openai", "fake")
    assert told["message_id"] == answer["message_id"]
    assert told["parts"] == {"text": 1}
    assert told["calls"] == 1
    assert told["owner"] == OWNERS_NAME
    assert 0 < told["first_token_seconds"] <= told["seconds"]
    called = await line(logged, "model_called", run_id=run)
    assert (called["surface"], called["outcome"]) == ("native", "completed")
    assert called["messages"] >= 1


async def test_runs_side_by_side_keep_their_lines_apart(logged: Scenario) -> None:
    """Each run's lines have its own id, and its conversation's owner, and nobody else's."""
    script = Script(words=6, between_tokens_s=0.01)
    answers = await asyncio.gather(*(logged.chat(script) for _ in range(30)))
    for answer in answers:
        run = answer["run_id"].removeprefix("run_")
        told = await line(logged, "run_ended", run_id=run)
        assert told["message_id"] == answer["message_id"]
        await line(logged, "model_called", run_id=run)


async def test_what_comes_after_a_run_is_not_its(logged: Scenario) -> None:
    answer = await logged.chat(Script(words=2))
    status, _ = await logged.call("GET", "/api/me", X_Request_ID="log-after")
    assert status == 200
    told = await line(logged, "request_answered", request_id="log-after")
    assert "run_id" not in told, answer


async def test_what_comes_after_on_its_connection_is_not_its(logged: Scenario) -> None:
    body = json.dumps({"message": logged.message(Script(words=2))}).encode()
    head = f"Host: {raw_http.HOST}\r\nX-API-Key: {KEY}\r\n"
    asked = f"POST /api/chat HTTP/1.1\r\n{head}X-Request-ID: log-first\r\n"
    asked += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    after = f"GET /api/me HTTP/1.1\r\n{head}X-Request-ID: log-next\r\nConnection: close\r\n\r\n"
    reader, writer = await asyncio.open_connection(raw_http.HOST, logged.server.port)
    writer.write(asked.encode() + body + after.encode())
    assert (await reader.read()).count(b"HTTP/1.1 200") == 2
    writer.close()
    assert (await line(logged, "request_answered", request_id="log-first"))["run_id"]
    assert "run_id" not in await line(logged, "request_answered", request_id="log-next")


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("path", "model"),
    [
        ("/api/chat", "openai/fake"),
        ("/v1/chat/completions", "openai/fake"),
        ("/v1/responses", "openai/fake"),
        ("/v1/messages", "anthropic/fake"),
    ],
)
async def test_a_request_names_the_run_that_answers_it(
    logged: Scenario, path: str, model: str, stream: bool
) -> None:
    message = logged.message(Script(words=3))
    asked = body_for(path, message, model, stream=stream, max_tokens=100)
    if path == "/api/chat":
        provider, _, name = model.partition("/")
        asked = {"message": message, "provider": provider, "model": name, "stream": stream}
    elif path == "/v1/responses":
        del asked["max_tokens"]
    request = f"log-run-{path[1:].replace('/', '-')}-{stream}"
    headers = {"X_Request_ID": request, "Idempotency_Key": request}
    status, _, octets = await post(logged, path, asked, **headers)
    assert status == 200, octets
    answered = await line(logged, "request_answered", request_id=request)
    ended = await line(logged, "run_ended", run_id=answered["run_id"])
    assert ended["status"] == "completed"
    await line(logged, "model_called", run_id=answered["run_id"])
    again = {**headers, "X_Request_ID": f"{request}-again"}
    await post(logged, path, asked, **again)
    repeated = await line(logged, "request_answered", request_id=again["X_Request_ID"])
    assert repeated["run_id"] == answered["run_id"]


@pytest.mark.parametrize(
    ("method", "path", "surface"),
    [
        ("GET", "/", "console"),
        ("GET", "/.well-known/agent-card.json", "a2a"),
        ("GET", "/v1/models", "openai"),
        ("GET", "/api/models", "native"),
        ("POST", "/mcp", "mcp"),
    ],
)
async def test_a_request_says_its_surface(
    logged: Scenario, method: str, path: str, surface: str
) -> None:
    request = f"log-{surface}"
    headers = {"X-API-Key": KEY, "X-Request-ID": request, "Content-Type": "application/json"}
    asked = raw_http.request(logged.server.port, method, path, headers, b"{}")
    async with await asked as answer:
        await answer.body()
    told = await line(logged, "request_answered", request_id=request)
    assert (told["surface"], told["path"]) == (surface, path)


async def test_sockets_say_theirs(logged: Scenario) -> None:
    async with opened(logged.server.port):
        pass
    async with voice(logged.server.port):
        pass
    chat = await line(logged, "socket_closed", path="/ws/chat")
    live = await line(logged, "socket_closed", path="/ws/voice")
    assert (chat["surface"], live["surface"]) == ("native", "live")


async def test_nothing_that_was_said_is_in_the_log(logged: Scenario) -> None:
    canary = "a-word-that-nobody-else-says"
    script = Script(text=f"{canary} again", reasoning=canary)
    for path in ("/v1/chat/completions", "/v1/messages", "/v1/responses"):
        for model in ("openai/fake", "anthropic/fake"):
            asked = body_for(path, f"{canary} {directive(script)}", model, max_tokens=99)
            if path == "/v1/responses":
                del asked["max_tokens"]
            status, _, _ = await post(logged, path, asked)
            assert status == 200
    await logged.chat(message=f"{canary} {directive(script)}")
    log = logged.server.log_path.read_text()
    assert log.count("model_called") >= 7
    assert canary not in log


async def test_a_quiet_log_counts_nothing(serve: Any) -> None:
    scenario: Scenario = serve(settings={"CARTRITA_LOG_LEVEL": "warning"})
    await scenario.chat(Script(words=2))
    asked = body_for("/v1/chat/completions", scenario.message(Script(words=2)), "openai/fake")
    assert (await post(scenario, "/v1/chat/completions", asked))[0] == 200
    assert lines(scenario.server.log_path) == []


async def test_levels_of_modules(serve: Any) -> None:
    levels = "cartrita.surfaces=warning,sqlalchemy=info"
    scenario: Scenario = serve(settings={"CARTRITA_LOG_LEVELS": levels})
    answer = await scenario.chat(Script(words=2))
    run = answer["run_id"].removeprefix("run_")
    await line(scenario, "run_ended", run_id=run)
    told = lines(scenario.server.log_path)
    assert not [each for each in told if each["event"] == "request_answered"]
    statements = [each["event"] for each in told if each["logger"].startswith("sqlalchemy")]
    assert any("INSERT INTO" in each for each in statements)
    assert "Message" not in " ".join(statements), "the parameters of a statement are content"


async def test_workers_share_a_file(serve: Any, tmp_path: Path) -> None:
    path = tmp_path / "cartrita.log"
    settings = {"CARTRITA_LOG_FILE": str(path), "CARTRITA_LOG_FILE_MAX_BYTES": "4096"}
    settings |= {"CARTRITA_LOG_FILE_COUNT": "100", "CARTRITA_LOG_FORMAT": "console"}
    scenario: Scenario = serve(workers=2, settings=settings)
    for _ in range(20):
        await scenario.chat(Script(words=2))
    scenario.server.stop()
    paths = files_of(tmp_path)
    told = [each for found in paths for each in lines(found)]
    assert len([each for each in told if each["event"] == "run_ended"]) == 20
    assert len(paths) > 2
    assert "run_ended" in scenario.server.log_path.read_text()
    assert lines(scenario.server.log_path) == [], "stderr has the form that was asked for"


async def test_a_log_that_is_away_takes_nothing_with_it(serve: Any, tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    scenario: Scenario = serve(settings={"CARTRITA_LOG_FILE": str(folder / "a.log")})
    await scenario.chat(Script(words=2))
    folder.rename(tmp_path / "gone")
    assert (await scenario.chat(Script(words=2)))["run_id"]

"""Both stream parsers of the older browser client read an answer to its end, as it is written."""

import json

import pytest
from tests.harness import raw_http
from tests.harness.fake_provider.replaced_responses import ReplacedResponse
from tests.harness.fake_provider.script import Script
from tests.harness.scenario import Scenario
from tests.harness.server import KEY
from tests.journeys.older_frontend import (
    BOTH,
    DONE,
    OldClient,
    by_contents,
    by_events,
    frames,
    payloads,
)

SLOW = Script(words=40, between_tokens_s=0.05)
MODEL = {"model": "openai/fake"}


async def test_an_event_source_with_its_key_in_the_query(older: Scenario) -> None:
    message = older.message(Script(words=20))
    stream = await OldClient(older).stream(
        message=message, api_key=KEY, context='{"page": "chat"}', **MODEL
    )
    assert by_events(stream).text == by_contents(stream).text == older.answers[message]
    assert (by_events(stream).error, by_contents(stream).error) == (None, None)
    received = frames(stream)
    assert {frame["type"] for frame in received} == {"content"}
    contents = [frame["content"] for frame in received]
    tokens = [f["data"]["delta"] if f["event"] == "token" else "" for f in received]
    assert contents == tokens
    assert list(payloads(stream)).count(DONE) == 1
    assert list(payloads(stream))[-1] == DONE
    assert received[-1]["event"] == "done"
    run = received[-1]["data"]["run_id"]
    _, told = await OldClient(older).ask("GET", f"/runs/{run}")
    assert told["metadata"] == {"context": {"page": "chat"}}


@pytest.mark.parametrize("path", ["/api/chat/stream", "/api/chat"])
async def test_a_post(older: Scenario, path: str) -> None:
    message = older.message(Script(words=8))
    body = json.dumps({"message": message, "stream": True, "agentOverride": "code", **MODEL})
    headers = {**BOTH, "Content-Type": "application/json"}
    sent = raw_http.request(older.server.port, "POST", path, headers, body.encode())
    async with await sent as answer:
        stream = (await answer.body()).decode()
    assert by_events(stream).text == by_contents(stream).text == older.answers[message]
    assert frames(stream)[0]["data"]["agent_type"] == "coder"


async def test_tokens_arrive_while_the_answer_is_written_and_errors_are_flat(
    older: Scenario,
) -> None:
    """The run is cancelled once the first token has come, so that one came before the end."""
    client = OldClient(older)
    stream = ""
    cancelled = False
    message = older.message(SLOW)
    async for piece in client.pieces(message=message, api_key=KEY, **MODEL):
        stream += piece
        if not cancelled and '"event":"token"' in stream:
            cancelled = True
            run = frames(stream.rpartition("\n\n")[0])[0]["data"]["run_id"]
            await client.data("POST", f"/runs/{run}/cancel")
    first, second = by_events(stream), by_contents(stream)
    assert first.text == second.text
    assert 0 < len(first.text) < len(older.answers[message])
    last = frames(stream)[-1]
    assert first.error == second.error == last["error"] == last["data"]["error"]
    assert (last["event"], last["data"]["code"], last["content"]) == ("error", "cancelled", "")
    assert DONE not in payloads(stream)


async def test_a_provider_that_fails_in_the_middle(older: Scenario) -> None:
    script = Script(words=30, faults=(ReplacedResponse(status=400),))
    message = older.message(script)
    stream = await OldClient(older).stream(message=message, api_key=KEY, **MODEL)
    assert by_events(stream).error == by_contents(stream).error is not None


async def test_a_reader_that_comes_back(older: Scenario) -> None:
    message = older.message(Script(words=9))
    client = OldClient(older)
    whole = await client.stream(message=message, api_key=KEY, **MODEL)
    ids = [line.removeprefix("id: ") for line in whole.split("\n") if line.startswith("id: ")]
    target = f"/api/chat/stream?message=again&api_key={KEY}"

    async def resumed(cursor: str) -> tuple[int, str]:
        headers = {"Last-Event-ID": cursor, "Accept": "text/event-stream"}
        async with await raw_http.request(client.port, "GET", target, headers) as answer:
            return answer.status, (await answer.body()).decode()

    status, rest = await resumed(ids[1])
    assert status == 200
    before = whole[: whole.index(f"id: {ids[2]}\n")]
    after = rest[rest.index(f"id: {ids[2]}\n") :]
    assert before + after == whole
    assert await resumed(ids[-1]) == (204, "")


async def test_undefined_is_no_key(older: Scenario) -> None:
    """Where keys are needed, none was sent."""
    target = "/api/chat/stream?message=x&api_key=undefined"
    async with await raw_http.request(older.server.port, "GET", target, {}) as answer:
        told = json.loads(await answer.body())
    assert (answer.status, told["code"]) == (401, "unauthenticated")
    assert told["success"] is False
    headers = {"X-API-Key": "undefined", "Authorization": "Bearer undefined"}
    target = f"/api/agents?api_key={KEY}"
    async with await raw_http.request(older.server.port, "GET", target, headers) as answer:
        assert answer.status == 200


async def test_without_keys(serve: type) -> None:
    """Where none is needed, `undefined` is none that is wrong."""
    settings = {"CARTRITA_COMPAT_FRONTEND": "1", "CARTRITA_AUTH": "loopback"}
    scenario: Scenario = serve(settings=settings)
    message = scenario.message(Script(words=5))
    stream = await OldClient(scenario, "").stream(message=message, api_key="undefined", **MODEL)
    assert by_contents(stream).text == scenario.answers[message]


async def test_a_key_in_a_query_is_for_this_machine_only_and_in_no_log(older: Scenario) -> None:
    target = f"/api/chat/stream?message=x&api_key={KEY}"
    forwarded = {"X-Forwarded-For": "203.0.113.9"}
    async with await raw_http.request(older.server.port, "GET", target, forwarded) as answer:
        told = json.loads(await answer.body())
    assert (answer.status, told["code"]) == (400, "key_in_query")
    await OldClient(older).stream(message=older.message(Script(words=2)), api_key=KEY, **MODEL)
    assert KEY not in older.server.log_path.read_text()


async def test_off_loopback_a_key_in_a_query_is_refused(serve: type) -> None:
    settings = {"CARTRITA_COMPAT_FRONTEND": "1", "CARTRITA_HOST": "0.0.0.0"}
    scenario: Scenario = serve(settings=settings)
    target = f"/api/chat/stream?message=x&api_key={KEY}"
    async with await raw_http.request(scenario.server.port, "GET", target, {}) as answer:
        told = json.loads(await answer.body())
    assert (answer.status, told["code"], told["success"]) == (400, "key_in_query", False)

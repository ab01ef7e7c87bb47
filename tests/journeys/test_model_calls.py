"""One procedure answers the requests of all vendors: relayed as they came, read, or by a run."""

import asyncio
import json
from typing import Any
from uuid import uuid4

import pytest
from tests.harness.fake_provider.script import Script, directive
from tests.harness.scenario import Scenario, eventually
from tests.journeys.v1 import exchange_with, frames, post, post_json

from cartrita.dialects.relayed_bodies import RelayedBody
from cartrita.surfaces.openai import responses
from cartrita.surfaces.openai.response_fields import response_fields
from cartrita.surfaces.v1.model_calls import _Reading

CHAT = "/v1/chat/completions"
RESPONSES = "/v1/responses"
STRICT = {"X_Cartrita_Strict": "true"}


def new_word() -> str:
    return f"needle-{uuid4().hex}"


def chat(word: str, **fields: Any) -> dict[str, Any]:
    content = f"{word} {directive(Script(text='Hello there'))}"
    return {"model": "openai/fake", "messages": [{"role": "user", "content": content}], **fields}


def response(word: str, **fields: Any) -> dict[str, Any]:
    return {"model": "openai/fake", "input": word, "store": False, **fields}


@pytest.fixture
async def stored(scenario: Scenario) -> str:
    """The id of a response that is stored."""
    status, told = await post_json(scenario, RESPONSES, response("Hi", store=True))
    assert status == 200, told
    return told["id"]


def asked(scenario: Scenario, word: str) -> int:
    """How many requests to the provider hold this word."""
    return sum(word in each.body for each in scenario.provider.requests())


async def test_a_request_is_relayed_unread_and_without_our_own_fields(scenario: Scenario) -> None:
    word = new_word()
    body = chat(word, prediction={"type": "content", "content": "Hello"})
    octets = b'{"background": false, "temperature": 1.50, ' + json.dumps(body).encode()[1:]
    status, _, answered = await post(scenario, CHAT, octets, **STRICT)
    assert status == 200, answered
    sent = exchange_with(scenario, word).body
    assert json.loads(sent) == {**body, "model": "fake", "temperature": 1.5}
    assert "1.50" in sent  # as it was written


@pytest.mark.parametrize("fields", [{}, {"store": True}], ids=str)
async def test_no_answer_loses_anything_where_that_is_refused(
    scenario: Scenario, fields: dict[str, Any]
) -> None:
    word = new_word()
    body = chat(word, model="anthropic/fake", seed=7, **fields)
    status, told = await post_json(scenario, CHAT, body, **STRICT)
    assert (status, told["error"]["code"]) == (400, "not_translatable")
    assert not asked(scenario, word)


def test_a_request_is_parsed_once() -> None:
    body = RelayedBody.of(b'{"model": "m", "input": "Hi", "store": false}')
    reading = _Reading(responses._API, response_fields(body), "ann")
    assert reading.parse() is reading.parse()
    assert reading.request() is reading.parse().request


async def test_what_refers_to_something_stored_is_looked_up_and_not_relayed(
    scenario: Scenario, stored: str
) -> None:
    plain, referring = new_word(), new_word()
    for word, fields in ((plain, {}), (referring, {"previous_response_id": stored})):
        status, told = await post_json(scenario, RESPONSES, response(word, **fields))
        assert status == 200, told
    assert exchange_with(scenario, plain).path == RESPONSES
    sent = exchange_with(scenario, referring)
    assert "previous_response_id" not in sent.body
    assert len(json.loads(sent.body)["messages"]) == 3


@pytest.mark.parametrize("store", [True, False])
async def test_nothing_more_is_looked_up_for_callers_who_leave(
    scenario: Scenario, store: bool
) -> None:
    item = {"type": "item_reference", "id": f"msg_{uuid4().hex}0000"}
    waiting = "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    async with scenario.connection() as holder, holder.transaction():
        await holder.execute("LOCK TABLE messages IN ACCESS EXCLUSIVE MODE")
        asking = asyncio.create_task(
            post(scenario, RESPONSES, response("", input=[item], store=store))
        )
        await eventually(lambda: scenario.fetch(waiting))
        asking.cancel()  # which closes its connection
        await asyncio.wait((asking,))

        async def given_up() -> bool:
            return not await scenario.fetch(waiting)

        await eventually(given_up)


@pytest.mark.parametrize("kind", ["relayed", "stored", "referring"])
async def test_ids_of_the_vendor_are_refused(scenario: Scenario, stored: str, kind: str) -> None:
    fields = {"stored": {"store": True}, "referring": {"previous_response_id": stored}}
    word = new_word()
    file = {"role": "user", "content": [{"type": "input_file", "file_id": word}]}
    body = response(word, **{"input": [file], **fields.get(kind, {})})
    status, told = await post_json(scenario, RESPONSES, body)
    assert (status, told["error"]["param"]) == (400, "input[0].content[0].file_id")
    assert not asked(scenario, word)


@pytest.mark.parametrize(
    ("fields", "headers", "agents"),
    [
        ({"store": True}, {}, ["model"]),
        ({"model": "cartrita-assistant"}, {}, ["supervisor"]),
        ({"stream": True}, {"Idempotency_Key": "k"}, ["model"]),
    ],
    ids=["stored", "agent", "key"],
)
async def test_what_makes_a_run(
    scenario: Scenario, fields: dict[str, Any], headers: dict[str, str], agents: list[str]
) -> None:
    named = {name: f"{value}-{uuid4().hex}" for name, value in headers.items()}
    status, _, answered = await post(scenario, CHAT, chat(new_word(), **fields), **named)
    assert status == 200, answered
    told = frames(answered)[-2][1] if fields.get("stream") else json.loads(answered)
    status, run = await scenario.call("GET", f"/api/runs/run_{told['id'].partition('-')[2]}")
    assert (status, run["status"]) == (200, "completed")
    assert told["metadata"]["agents_used"] == agents


async def test_a_key_is_bound_to_the_content_and_not_to_how_it_is_sent(scenario: Scenario) -> None:
    key = {"Idempotency_Key": uuid4().hex}
    body = chat(new_word())
    _, told = await post_json(scenario, CHAT, body, **key)
    status, _, streamed = await post(scenario, CHAT, {**body, "stream": True}, **key)
    assert (status, frames(streamed)[0][1]["id"]) == (200, told["id"])
    status, refused = await post_json(scenario, CHAT, {**body, "temperature": 0}, **key)
    assert (status, refused["error"]["code"]) == (409, "idempotency_mismatch")

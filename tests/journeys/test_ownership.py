"""Every route with ids of another owner answers 404 and changes nothing.

The routes come from openapi.json: a new one without a rule here fails the test.
"""

import asyncio
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.harness.fixtures import PROVIDER_KEY
from tests.harness.scenario import Scenario
from tests.harness.server import OWNER
from tests.journeys.accounts import made

WORD = "chrysoprase"
ANONYMOUS = {("GET", "/"), ("GET", "/health"), ("GET", "/ready"), ("POST", "/api/session")}
SHARED = {"agent_id", "model_id", "name"}
"""Parameters that name what belongs to nobody."""
BODIES: dict[str, dict[str, Any]] = {
    "create_anthropic_message": {
        "model": "m",
        "max_tokens": 9,
        "messages": [{"role": "user", "content": "x"}],
    },
    "count_anthropic_tokens": {"model": "m", "messages": [{"role": "user", "content": "x"}]},
    "post_huggingface_chat": {"message": "x"},
    "post_code": {"task": "x"},
    "check_provider": {},
    "create_response": {"model": "m", "input": "x"},
    "create_v1_conversation": {},
    "change_v1_conversation": {"metadata": {"word": "mine"}},
    "add_v1_conversation_items": {"items": [{"role": "user", "content": "Mine now?"}]},
    "create_embedding": {"model": "m", "input": "x"},
    "create_chat_completion": {"model": "m", "messages": [{"role": "user", "content": "x"}]},
    "post_chat": {"message": "Mine now?"},
    "post_chat_stream": {"message": "Mine now?"},
    "create_conversation": {},
    "change_conversation": {"title": "Mine now"},
    "replace_conversation": {"title": "Mine now"},
    "fork_conversation": {},
    "send_message": {"message": "Mine now?"},
    "edit_message": {"content": "Mine now"},
    "replace_message": {"content": "Mine now"},
    "retry_message": {},
    "open_session": {},
    "create_key": {"name": "x"},
    "change_key": {"name": "Mine now"},
    "rotate_key": {},
    "exchange_credential": {"provider": "openai", "key": "sk-of-somebody-else"},
    "rotate_credential": {"key": "sk-of-somebody-else"},
    "create_key_of_user": {"name": "x", "owner_id": "local"},
    "change_any_key": {"name": "Mine now"},
    "rotate_any_key": {},
    "create_tenant": {"id": "mine"},
    "change_tenant": {"name": "Mine now"},
    "create_user": {"id": "mine", "tenant_id": "local"},
    "change_user": {"name": "Mine now"},
}


def code_of(response: dict[str, Any]) -> str:
    """The code of an error, in our envelope or in a vendor's."""
    if "code" in response:
        return response["code"]
    return response["error"].get("code") or response["error"]["type"]


class Owned:
    """What A has, by the names of path parameters."""

    def __init__(self, ids: dict[str, list[str]]) -> None:
        self.ids = ids

    def paths(self, path: str) -> Iterator[str]:
        """The path with each way to name A's things in it."""
        names = re.findall(r"{(\w+)}", path)
        for way in range(max(len(self.ids[name]) for name in names)):
            filled = path
            for name in names:
                ids = self.ids[name]
                filled = filled.replace(f"{{{name}}}", ids[way % len(ids)])
            yield filled


async def new_key(scenario: Scenario, name: str) -> tuple[str, str]:
    """The id and the secret of a key with an owner of its own."""
    response = await cli(scenario, "keys", "create", name)
    found = re.search(r"ck_([0-9a-f]+)_\w+", response)
    assert found is not None, response
    return found[1], found[0]


async def cli(scenario: Scenario, *words: str) -> str:
    done = await asyncio.to_thread(
        subprocess.run,
        [str(Path(sys.executable).with_name("cartrita")), *words],
        env=scenario.server.environment,
        cwd=scenario.server.root,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


async def operations(scenario: Scenario) -> list[tuple[str, str, dict[str, Any]]]:
    status, document = await scenario.call("GET", "/openapi.json")
    assert status == 200
    return [
        (method.upper(), path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]


async def ended_credential(scenario: Scenario) -> str:
    """A credential of the owner's, which pays for nothing any more."""
    body = {"provider": "openai", "key": PROVIDER_KEY}
    exchanged = await made(scenario, "POST", "/api/credentials", body)
    path = f"/api/credentials/{exchanged['credential']['id']}"
    return (await made(scenario, "DELETE", path))["id"]


async def things_of_a(scenario: Scenario) -> Owned:
    status, created = await scenario.call(
        "POST", "/api/conversations", {"external_id": f"a-{WORD}"}
    )
    assert status in (201, 409), created
    response = await scenario.chat(conversation_id=f"a-{WORD}", metadata={"word": WORD})
    conversation, message, run = (
        response[name] for name in ("conversation_id", "message_id", "run_id")
    )
    status, unnamed = await scenario.call("POST", "/api/conversations", {"title": WORD})
    assert status == 201, unnamed
    by_id = unnamed["id"]
    asked = {"model": "openai/fake", "input": f"{WORD}?", "conversation": conversation}
    status, answered = await scenario.call("POST", "/v1/responses", asked)
    assert status == 200, answered
    _, items = await scenario.call("GET", f"/v1/conversations/{conversation}/items")
    return Owned(
        {
            "conversation_id": [conversation, by_id, by_id.removeprefix("conv_")],
            "message_id": [message, message.removeprefix("msg_"), response["message"]["parent_id"]],
            "run_id": [run, run.removeprefix("run_")],
            "item_id": [item["id"] for item in items["data"][:3]],
            "response_id": [answered["id"], answered["id"].removeprefix("resp_")],
            "key_id": [(await made(scenario, "POST", "/api/keys", {"name": WORD}))["id"]],
            "credential_id": [await ended_credential(scenario)],
            "user_id": [OWNER],
            "tenant_id": [OWNER],
        }
    )


async def state_of_a(scenario: Scenario, owned: Owned) -> list[Any]:
    conversation = owned.ids["conversation_id"][0]
    paths = (
        f"/api/conversations/{conversation}",
        f"/api/conversations/{conversation}/messages",
        f"/api/runs/{owned.ids['run_id'][0]}",
        "/api/conversations?archived=any",
    )
    return [await scenario.call("GET", path) for path in paths]


async def test_every_route_with_foreign_ids(scenario: Scenario) -> None:
    owned = await things_of_a(scenario)
    before = await state_of_a(scenario, owned)
    _, stranger = await new_key(scenario, "b")
    wrong: list[str] = []
    asked = 0
    for method, path, operation in await operations(scenario):
        names = set(re.findall(r"{(\w+)}", path))
        if not names - SHARED:
            continue
        body = BODIES[operation["operationId"]] if "requestBody" in operation else None
        for filled in owned.paths(path):
            asked += 1
            status, response = await scenario.call(method, filled, body, X_API_Key=stranger)
            refusal = 403 if path.startswith("/api/admin/") else 404
            if (status, response.get("error") is None) != (refusal, False) or WORD in str(response):
                wrong.append(f"{method} {filled}: {status} {response}")
    assert not wrong
    assert asked >= 30
    assert await state_of_a(scenario, owned) == before


async def test_foreign_ids_in_bodies_headers_and_queries(scenario: Scenario) -> None:
    owned = await things_of_a(scenario)
    before = await state_of_a(scenario, owned)
    _, stranger = await new_key(scenario, "b")
    run, conversation, message = (
        owned.ids[name][0] for name in ("run_id", "conversation_id", "message_id")
    )
    _, mine = await scenario.call("POST", "/api/conversations", {}, X_API_Key=stranger)
    own = f"/api/conversations/{mine['id']}"
    chat = {"message": "hello", "provider": "openai", "model": "fake"}
    ours = owned.ids["conversation_id"][1]
    completion = {"model": "openai/fake", "messages": [{"role": "user", "content": "hello"}]}
    _, response = await scenario.call("POST", "/api/chat", chat, X_API_Key=stranger)
    theirs, item = owned.ids["response_id"][0], owned.ids["item_id"][0]
    asked = {"model": "openai/fake", "input": "hello"}
    reference = [{"type": "item_reference", "id": item}]
    message_request = {**completion, "max_tokens": 9}
    for path, body, expected in (
        ("/v1/responses", {**asked, "previous_response_id": theirs}, 400),
        ("/v1/responses", {**asked, "previous_response_id": theirs, "store": False}, 400),
        ("/v1/responses", {**asked, "conversation": conversation}, 404),
        ("/v1/responses", {**asked, "conversation": {"id": ours}}, 404),
        ("/v1/responses", {**asked, "input": reference}, 404),
        ("/v1/responses", {**asked, "input": reference, "store": False}, 404),
        ("/v1/messages", {**message_request, "conversation_id": ours}, 404),
    ):
        status, answered = await scenario.call("POST", path, body, X_API_Key=stranger)
        assert status == expected, (path, body, status, answered)
        assert WORD not in str(answered)
    my_run = f"/api/runs/{response['run_id']}/events"
    for method, path, body, headers in (
        ("POST", "/api/chat", {**chat, "conversation_id": conversation}, {}),
        ("POST", "/api/chat/stream", {**chat, "conversation_id": conversation}, {}),
        ("POST", "/v1/chat/completions", {**completion, "conversation_id": ours}, {}),
        ("GET", f"/api/chat/stream?message=x&conversation_id={conversation}", None, {}),
        ("GET", f"/api/chat/stream?message=x&conversationId={conversation}", None, {}),
        ("GET", "/api/chat/stream?message=x", None, {"Last_Event_ID": f"{run}.1"}),
        ("POST", "/api/chat/stream", chat, {"Last_Event_ID": f"{run}.1"}),
        ("GET", my_run, None, {"Last_Event_ID": f"{run}.1"}),
        ("POST", f"{own}/fork", {"message_id": message}, {}),
        ("GET", f"{own}/messages/{message}", None, {}),
        ("PATCH", f"{own}/messages/{message}", {"content": "x"}, {}),
        ("DELETE", f"{own}/messages/{message}", None, {}),
        ("POST", f"{own}/messages/{message}/retry", None, {}),
    ):
        status, answered = await scenario.call(method, path, body, X_API_Key=stranger, **headers)
        assert status == 404, (method, path, status, answered)
    assert await state_of_a(scenario, owned) == before


async def test_lists_and_searches_show_own_data_only(scenario: Scenario) -> None:
    owned = await things_of_a(scenario)
    await scenario.chat(message=f"{WORD} is a word that only A has written")
    _, stranger = await new_key(scenario, "b")
    for path in (
        "/api/conversations?archived=any",
        f"/api/search?q={WORD}",
        f"/api/search?q={owned.ids['conversation_id'][0]}",
    ):
        status, response = await scenario.call("GET", path, X_API_Key=stranger)
        assert status == 200
        assert response.get("items", response.get("results")) == []
    status, response = await scenario.call("GET", f"/api/search?q={WORD}")
    assert response["total"] > 0  # which A does find


async def test_idempotency_keys_are_per_owner(scenario: Scenario) -> None:
    """The same Idempotency-Key and client_msg_id mean nothing across owners."""
    _, stranger = await new_key(scenario, "b")
    chat = {"message": "hello", "provider": "openai", "model": "fake", "client_msg_id": WORD}
    runs: set[str] = set()
    for key in ({}, {"X_API_Key": stranger}):
        status, response = await scenario.call(
            "POST", "/api/chat", chat, Idempotency_Key=WORD, **key
        )
        assert status == 200, response
        runs.add(response["run_id"])
    assert len(runs) == 2


@pytest.mark.parametrize("key", ["", "ck_wrong", "x" * 40])
async def test_invalid_keys_get_401(scenario: Scenario, key: str) -> None:
    for method, path, operation in await operations(scenario):
        filled = re.sub(r"{\w+}", "0193b0c3a5d87c1e9f4d2b6a8e0c4f17", path)
        body = BODIES[operation["operationId"]] if "requestBody" in operation else None
        status, response = await scenario.call(method, filled, body, X_API_Key=key)
        if (method, path) in ANONYMOUS - {("POST", "/api/session")}:
            assert status == 200, (method, path, status)
        else:
            assert status == 401, (method, path, status, response)
            assert code_of(response) in (
                "unauthenticated",
                "invalid_api_key",
                "authentication_error",
            )
    for path in ("/openapi.json", "/docs"):
        assert (await scenario.call("GET", path, X_API_Key=key))[0] == 401


async def test_revoked_key_stops_working_within_seconds(scenario: Scenario) -> None:
    key_id, secret = await new_key(scenario, "c")
    assert (await scenario.call("GET", "/api/conversations", X_API_Key=secret))[0] == 200
    await cli(scenario, "keys", "revoke", key_id)
    async with asyncio.timeout(60):
        refused = 0
        while refused < 5:  # by both workers
            status, _ = await scenario.call("GET", "/api/conversations", X_API_Key=secret)
            refused = refused + 1 if status == 401 else 0
            await asyncio.sleep(0.2)

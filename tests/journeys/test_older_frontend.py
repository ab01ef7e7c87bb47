"""The older browser client's requests: chats, agents, uploads, conversations, settings, errors."""

import asyncio
import json
from typing import Any
from uuid import uuid4

import pytest
from anyio import to_thread
from tests.harness import raw_http
from tests.harness.fake_provider.script import Script
from tests.harness.fixtures import Serve
from tests.harness.scenario import Scenario
from tests.harness.server import KEY, OWNER
from tests.harness.uploads import fetch
from tests.journeys.accounts import new_key, new_tenant, new_user
from tests.journeys.older_frontend import BOTH, OldClient

from cartrita_client import CartritaApiClient, kinds

LIMITED = {
    "CARTRITA_COMPAT_FRONTEND": "1",
    "CARTRITA_INBOUND_LIMITS": "get_agents=2/hour",
    "CARTRITA_SERVER_BODY_TIMEOUT_S": "0.3",
}
CONVERSATION = {
    "id": str, "title": str, "messages": list, "userId": str, "isArchived": bool, "isPinned": bool,
    "tags": list, "metadata": dict, "createdAt": str, "updatedAt": str,
}  # fmt: skip
MESSAGE = {
    "id": str, "conversationId": str, "role": str, "content": str, "metadata": dict,
    "createdAt": str, "updatedAt": str, "isEdited": bool,
}  # fmt: skip
AGENT = {
    "id": str, "name": str, "description": str, "type": str, "capabilities": list, "model": str,
    "parameters": dict, "isActive": bool, "createdAt": str, "updatedAt": str, "metrics": dict,
}  # fmt: skip
UPLOAD = {
    "success": bool, "fileId": str, "fileName": str, "fileSize": int, "mimeType": str, "url": str,
}  # fmt: skip
USER = {
    "id": str, "email": str, "name": str, "preferences": dict, "createdAt": str, "updatedAt": str,
    "isActive": bool, "role": str,
}  # fmt: skip


def of(shape: dict[str, type], value: dict[str, Any]) -> bool:
    """Whether a value has these fields, each of its type."""
    return {name: type(value.get(name)) for name in shape} == shape


@pytest.mark.parametrize("base", ["/api", ""])
async def test_a_chat(older: Scenario, base: str) -> None:
    client = OldClient(older, base)
    message = older.message(Script(words=6))
    request = {"message": message, "model": "openai/fake", "context": {"page": "chat"}}
    chat = await client.data("POST", "/chat", {**request, "agentOverride": "code", "userId": "x"})
    assert chat["response"] == older.answers[message]
    assert chat["agent_type"] == "coder"
    assert of(MESSAGE, chat["message"])
    assert chat["message"]["tokens"] == chat["token_usage"]["total_tokens"]
    assert chat["message"]["processingTime"] == chat["processing_time"]
    conversation = chat["conversation_id"]
    again = older.message(Script(words=2))
    body = {"message": again, "conversationId": conversation, "model": "openai/fake"}
    assert (await client.data("POST", "/chat", body))["conversation_id"] == conversation
    sent = f"/conversations/{conversation}/messages"
    third = older.message(Script(words=2))
    told = await client.data("POST", sent, {"message": third, "model": "openai/fake"})
    assert told["response"] == older.answers[third]
    whole = await client.data("GET", f"/conversations/{conversation}")
    assert [each["role"] for each in whole["messages"]] == ["user", "assistant"] * 3
    assert all(of(MESSAGE, each) for each in whole["messages"])
    target = f"/api/conversations/{conversation}?api_key={KEY}"
    async with await raw_http.request(client.port, "GET", target, {}) as answer:
        assert json.loads(await answer.body())["messages"] == whole["messages"]


async def test_health_at_both_places(older: Scenario) -> None:
    for path in ("/health", "/api/health"):
        answer = await raw_http.request(older.server.port, "GET", path, {})
        async with answer:
            told = json.loads(await answer.body())
        assert told["success"] is True
        assert told["data"] == {name: told[name] for name in ("status", "timestamp", "version")}
    status, headers, body = await fetch(older, "/health", "HEAD")
    assert (status, body) == (200, b"")
    assert int(headers["content-length"]) > 100


async def test_agents(older: Scenario) -> None:
    client = OldClient(older)
    body = {"message": older.message(Script(words=2)), "agentOverride": "writer"}
    await client.data("POST", "/chat", {**body, "model": "openai/fake"})
    listed = await client.data("GET", "/agents")
    assert isinstance(listed, list)
    assert {each["id"] for each in listed} >= {"supervisor", "coder"}
    for each in listed:
        assert of(AGENT, each), each
        metrics = each["metrics"]
        assert metrics["totalRequests"] == each["usage_count"]
        assert {"successRate", "avgLatency", "lastActive"} <= metrics.keys()
    one = await client.data("GET", "/agents/code")
    assert (one["id"], one["isActive"]) == ("coder", True)
    [writer] = [each for each in listed if each["id"] == "writer"]
    assert writer["metrics"]["lastActive"] == writer["last_used_at"]
    assert 0 < writer["metrics"]["successRate"] <= 1
    assert writer["metrics"]["avgLatency"] > 0
    _, told = await client.ask("GET", "/agents")
    assert (told["agents"], told["total"]) == (listed, len(listed))


async def test_uploads(older: Scenario) -> None:
    client = OldClient(older)
    conversation = (await client.data("POST", "/conversations", {"title": "Files"}))["id"]
    status, one = await client.upload(
        "/upload", ("file", "a.txt", b"one"), conversationId=conversation
    )
    assert (status, one["conversation_id"]) == (201, conversation)
    assert of(UPLOAD, one)
    assert (one["fileName"], one["fileSize"], one["mimeType"]) == ("a.txt", 3, "text/plain")
    parts = [(f"files[{at}]", f"{at}.txt", b"%d" % at) for at in range(3)]
    status, several = await client.upload("/upload/multiple", *parts, conversationId=conversation)
    assert status == 201
    assert several["data"] == several["files"]
    assert [each["fileName"] for each in several["data"]] == ["0.txt", "1.txt", "2.txt"]
    assert all(of(UPLOAD, each) for each in several["data"])
    _, files = await client.ask("GET", f"/files?conversationId={conversation}&limit=2&offset=1")
    assert [each["fileName"] for each in files["data"]] == ["1.txt", "0.txt"]
    beyond = await client.data("GET", f"/files?conversationId={conversation}&limit=2&offset=4")
    assert beyond == []
    attachment = {"id": one["fileId"], "type": "file", "name": "a.txt", "url": one["url"]}
    message = older.message(Script(words=2))
    body = {"message": message, "model": "openai/fake", "attachments": [attachment]}
    chat = await client.data("POST", "/chat", body)
    [asked, _] = await client.data("GET", f"/conversations/{chat['conversation_id']}/messages")
    assert asked["parts"][0]["attachment_id"] == one["fileId"]
    status, headers, content = await fetch(older, one["url"])
    assert (status, content) == (200, b"one")
    status, again, body = await fetch(older, one["url"], If_None_Match=headers["etag"])
    assert (status, again["etag"], body) == (304, headers["etag"], b"")
    assert await client.ask("DELETE", f"/files/{one['fileId']}") == (204, {})


async def test_conversations(older: Scenario) -> None:
    client = OldClient(older)
    made = await client.data("POST", "/conversations", {"title": "Old", "agentId": "coder"})
    assert of(CONVERSATION, made)
    assert (made["userId"], made["messages"], made["agentId"]) == (OWNER, [], "coder")
    path = f"/conversations/{made['id']}"
    changed = await client.data("PUT", path, {"title": "New", "isPinned": True, "tags": ["x"]})
    assert (changed["title"], changed["isPinned"], changed["tags"]) == ("New", True, ["x"])
    assert changed["metadata"] == made["metadata"]
    assert (await client.data("PUT", f"{path}/archive"))["isArchived"] is True
    assert (await client.data("PUT", path, {"isArchived": False}))["archived"] is False
    assert (await client.data("PUT", f"{path}/pin"))["isPinned"] is True
    listed = await client.data("GET", "/conversations?types=all&dateRange=week&sortBy=date")
    assert listed[0]["id"] == made["id"]
    assert all(of(CONVERSATION, each) for each in listed)
    assert await client.ask("DELETE", path) == (204, {})
    status, told = await client.ask("GET", path)
    assert (status, told["success"], told["error"]) == (404, False, told["detail"])


async def test_messages(older: Scenario) -> None:
    client = OldClient(older)
    conversation = ""
    for _ in range(3):
        body = {"message": older.message(Script(words=2)), "model": "openai/fake"}
        chat = await client.data("POST", "/chat", {**body, "conversation_id": conversation})
        conversation = chat["conversation_id"]
    path = f"/conversations/{conversation}/messages"
    every = await client.data("GET", path)
    assert len(every) == 6
    assert all(of(MESSAGE, each) for each in every)
    for offset in (1, 4, 5, 6, 300):
        page = await client.data("GET", f"{path}?limit=2&offset={offset}")
        assert page == every[offset : offset + 2]
    edited = older.message(Script(words=2))
    chat = await client.data("PUT", f"{path}/{every[4]['id']}", {"content": edited})
    assert chat["response"] == older.answers[edited]
    now = await client.data("GET", path)
    assert [each["content"] for each in now[4:]] == [edited, chat["response"]]
    assert now[4]["isEdited"] is True
    assert await client.ask("DELETE", f"{path}/{now[4]['id']}") == (204, {})


async def test_a_search(older: Scenario) -> None:
    client = OldClient(older)
    word = f"needle{uuid4().hex}"
    made = await client.data("POST", "/conversations", {"title": word})
    for base in ("", "/api"):
        found = await client.data(
            "GET",
            f"{base}/search?q={word}&types[]=conversation&types[]=message&dateRange=today"
            "&sortBy=relevance&limit=5&offset=0",
        )
        assert [each["id"] for each in found["results"]] == [made["id"]]
        assert (found["hasMore"], found["query"]) == (False, word)
    assert await client.data("GET", f"/search?q={word}&types=all&offset=1") == {
        **found,
        "results": [],
    }
    posted = await client.data("POST", "/search", {"query": word, "provider": "local"})
    assert posted["total"] == 1


async def test_the_account_and_its_settings(older: Scenario) -> None:
    client = OldClient(older)
    me = await client.data("GET", "/auth/me")
    assert of(USER, me)
    assert (me["id"], me["role"], me["email"]) == (OWNER, "admin", "local@cartrita.invalid")
    before = await client.data("GET", "/api/settings")
    assert {"name", "email", "theme"} <= before.keys()
    empty = {"openai": "", "google": None}
    kept = {"theme": "dark", "language": "et", "appearance": {"compactMode": True}}
    assert await client.data("PUT", "/api/settings", {**kept, "apiKeys": empty}) == {
        **before,
        **kept,
    }
    await client.data("PUT", "/settings", {"notifications": {"push": False}})
    settings = await client.data("GET", "/settings")
    assert settings == {**before, **kept, "notifications": {"push": False}}
    preferences = (await client.data("GET", "/auth/me"))["preferences"]
    assert (preferences["theme"], preferences["language"]) == ("dark", "et")
    status, told = await client.ask("PUT", "/settings", {"apiKeys": {"openai": "sk-secret"}})
    assert (status, list(told["errors"])) == (422, ["apiKeys"])
    assert "sk-secret" not in json.dumps(told)
    status, told = await client.ask("PUT", "/settings", {"bio": "x" * 20_000})
    assert (status, list(told["errors"])) == (422, ["settings"])
    assert settings == await client.data("GET", "/settings")
    hidden = await client.data("GET", "/conversations")
    assert not [each for each in hidden if each["title"].startswith("Settings of")]


async def test_settings_that_are_stored_at_once_for_the_first_time(older: Scenario) -> None:
    """All are answered, and the latest is kept; then they are deleted as a conversation is."""
    user = await new_user(older, await new_tenant(older))
    key = (await new_key(older, user))["key"]
    client = OldClient(older)
    own = {"X_API_Key": key, "Authorization": f"Bearer {key}"}
    many = [client.ask("PUT", "/settings", {"bio": str(each)}, **own) for each in range(8)]
    stored = await asyncio.gather(*many)
    assert [status for status, _ in stored] == [200] * 8
    _, told = await client.ask("GET", "/settings", None, **own)
    assert told["data"]["bio"] in map(str, range(8))
    assert told["data"]["email"] == f"{user}@cartrita.invalid"
    _, me = await client.ask("GET", "/auth/me", None, **own)
    assert (me["data"]["id"], me["data"]["role"]) == (user, "user")
    _, listed = await client.ask("GET", "/conversations?isArchived=true", None, **own)
    [kept] = listed["data"]
    assert (await client.ask("DELETE", f"/conversations/{kept['id']}", None, **own))[0] == 204
    _, told = await client.ask("GET", "/settings", None, **own)
    assert "bio" not in told["data"]


async def test_what_is_asked_twice_is_answered_the_same(older: Scenario) -> None:
    client = OldClient(older)
    body = {"message": older.message(Script(words=4)), "model": "openai/fake"}
    key = f"old-{uuid4().hex}"
    first = await client.ask("POST", "/chat", body, Idempotency_Key=key)
    assert await client.ask("POST", "/chat", body, Idempotency_Key=key) == first
    assert first[0] == 200
    other = {**body, "message": "other"}
    status, told = await client.ask("POST", "/chat", other, Idempotency_Key=key)
    assert (status, list(told["errors"]), told["success"]) == (422, ["Idempotency-Key"], False)


async def test_errors(older: Scenario) -> None:
    client = OldClient(older)
    status, told = await client.ask("POST", "/chat", {"message": ""})
    assert (status, list(told["errors"]), told["success"]) == (422, ["message"], False)
    assert isinstance(told["error"], str)
    twice = b'{"message": "a", "message": "b", "context": {"x": 1}}'
    for sent, expected in ((b"{", 400), (twice, 400), (b'{"message": "%b"}' % bytes(3 << 20), 413)):
        headers = {**BOTH, "Content-Type": "application/json"}
        answer = await raw_http.request(client.port, "POST", "/api/chat", headers, sent)
        async with answer:
            told = json.loads(await answer.body())
        assert (answer.status, told["success"]) == (expected, False)
        assert told["error"] == told["detail"]
        assert told["request_id"] == answer.headers["x-request-id"]
    status, told = await client.ask("GET", "/agents/nobody")
    assert (status, told["code"]) == (404, "agent_not_found")
    wrong = await client.ask("GET", "/agents", X_API_Key="ck_no", Authorization="Bearer ck_no")
    assert wrong[0] == 401
    status, told = await client.ask("GET", "/agents", X_API_Key="another")
    assert (status, told["code"]) == (400, "two_credentials")


async def test_the_generated_client_reads_these_answers_too(older: Scenario) -> None:
    """They are native with more around them."""
    message = older.message(Script(words=5))

    def use() -> str:
        with CartritaApiClient(older.server.base, api_key=KEY) as client:
            assert "supervisor" in [each.id for each in client.get_agents().agents]
            with pytest.raises(kinds.NotFound):
                client.get_agent("nobody")
            with client.stream_chat(message=message, model="openai/fake") as stream:
                return stream.final().final_response

    assert await to_thread.run_sync(use) == older.answers[message]


async def test_a_limit(shared: Serve) -> None:
    client = OldClient(shared(settings=LIMITED))
    assert [(await client.ask("GET", "/agents"))[0] for _ in range(2)] == [200, 200]
    answer = await raw_http.request(client.port, "GET", "/api/agents", BOTH)
    async with answer:
        told = json.loads(await answer.body())
    assert (answer.status, told["code"], told["success"]) == (429, "rate_limited", False)
    assert int(answer.headers["retry-after"]) > 0


async def test_a_body_that_does_not_end(shared: Serve) -> None:
    """It is not waited for longer than the native API does."""
    scenario = shared(settings=LIMITED)
    reader, writer = await asyncio.open_connection(raw_http.HOST, scenario.server.port)
    lines = ["POST /chat HTTP/1.1", "Host: localhost", f"X-API-Key: {KEY}", "Content-Length: 99"]
    writer.write("\r\n".join([*lines, "Content-Type: application/json", "", "{"]).encode())
    async with asyncio.timeout(30):
        answer = await reader.read()
    writer.close()
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 408 ")
    assert json.loads(body)["success"] is False


async def test_a_page_of_another_origin(older: Scenario) -> None:
    """Those that are listed read what they are answered."""
    page = {"Origin": "http://localhost:3000"}
    asked = {
        **page,
        "Access-Control-Request-Method": "PUT",
        "Access-Control-Request-Headers": "x-api-key,x-client-version,authorization",
    }
    answer = await raw_http.request(older.server.port, "OPTIONS", "/api/settings", asked)
    async with answer:
        await answer.body()
    assert answer.status == 200
    async with await raw_http.request(
        older.server.port, "GET", "/api/agents", {**page, **BOTH}
    ) as answer:
        body = await answer.body()
    assert answer.headers["access-control-allow-origin"] == page["Origin"]
    assert int(answer.headers["content-length"]) == len(body)
    assert json.loads(body)["success"] is True


async def test_downloads_and_other_surfaces_are_left_alone(older: Scenario) -> None:
    client = OldClient(older)
    made = await client.data("POST", "/conversations", {"title": "Kept"})
    status, headers, body = await fetch(older, f"/api/conversations/{made['id']}/export")
    assert (status, headers["content-disposition"][:10]) == (200, "attachment")
    assert list(json.loads(body)) == ["conversation", "messages"]
    for path in ("/v1/models", "/openapi.json", "/models"):
        status, _, body = await fetch(older, path)
        assert (status, "success" in json.loads(body)) == (200, False)


async def test_where_it_is_off_nothing_is_different(scenario: Scenario) -> None:
    status, told = await scenario.call("GET", "/api/agents")
    assert (status, set(told)) == (200, {"agents", "total"})
    assert "isActive" not in told["agents"][0]
    for path in ("/api/auth/me", "/api/settings", "/agents", "/api/health", "/api/api/agents"):
        assert (await scenario.call("GET", path))[0] == 404
    made = (await scenario.call("POST", "/api/conversations", {}))[1]
    assert (await scenario.call("PUT", f"/api/conversations/{made['id']}/pin"))[0] == 405
    target = f"/api/chat/stream?message=x&api_key={KEY}"
    async with await raw_http.request(scenario.server.port, "GET", target, {}) as answer:
        assert (answer.status, "success" in json.loads(await answer.body())) == (400, False)
    async with await raw_http.request(
        scenario.server.port,
        "GET",
        "/api/chat/stream?message=x&model=openai/fake",
        {"X-API-Key": KEY},
    ) as answer:
        body = await answer.body()
    assert b'"type":"content"' not in body
    assert b"[DONE]" not in body

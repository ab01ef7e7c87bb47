"""A conversation from creation to deletion: list, search, export, pages, messages."""

import json

from tests.harness import raw_http
from tests.harness.fake_provider.script import Script
from tests.harness.scenario import Scenario, eventually
from tests.harness.server import KEY

WORD = "zirconium"


async def ids(scenario: Scenario, query: str) -> list[str]:
    status, page = await scenario.call("GET", f"/api/conversations?{query}")
    assert status == 200, page
    return [item["id"] for item in page["items"]]


async def test_lifecycle(scenario: Scenario) -> None:
    made = {"title": " About  metals ", "tags": ["work", "work"], "metadata": {"colour": "blue"}}
    status, conversation = await scenario.call("POST", "/api/conversations", made)
    assert status == 201
    assert (conversation["title"], conversation["tags"]) == ("About metals", ["work"])
    own = f"/api/conversations/{conversation['id']}"

    message = scenario.message(Script(words=3)) + f" {WORD}"
    body = {"message": message, "provider": "openai", "model": "fake", "metadata": {"from": "test"}}
    status, response = await scenario.call("POST", f"{own}/messages", body)
    assert status == 200, response
    assert response["conversation_id"] == conversation["id"]
    assert response["response"] == response["message"]["content"]
    assert response["token_usage"]["total_tokens"] > 0
    assert response["metadata"]["agents_used"] == ["supervisor"]
    _, page = await scenario.call("GET", f"{own}/messages")
    assert [item["role"] for item in page["items"]] == ["user", "assistant"]
    assert page["items"][0]["metadata"] == {"from": "test"}

    assert conversation["id"] in await ids(scenario, "tag=work")
    assert conversation["id"] not in await ids(scenario, "tag=play")
    await scenario.call("POST", f"{own}/pin")
    assert (await ids(scenario, "pinned=true"))[0] == conversation["id"]
    await scenario.call("DELETE", f"{own}/pin")
    _, archived = await scenario.call("POST", f"{own}/archive")
    assert archived["archived"] is True
    assert conversation["id"] not in await ids(scenario, "")
    assert conversation["id"] in await ids(scenario, "archived=true")
    assert conversation["id"] in await ids(scenario, "archived=any")
    await scenario.call("DELETE", f"{own}/archive")
    assert conversation["id"] in await ids(scenario, "")
    for method in ("PUT", "PATCH"):
        change = {"title": f"Metals by {method}", "tags": []}
        status, changed = await scenario.call(method, own, change)
        assert (status, changed["title"], changed["tags"]) == (200, change["title"], [])
        assert changed["metadata"] == {"colour": "blue"}

    _, found = await scenario.call("GET", f"/api/search?q={WORD}&types=messages&date_range=today")
    (result,) = found["results"]
    assert (found["total"], found["has_more"], result["type"]) == (1, False, "message")
    assert WORD in result["snippet"]
    status, original = await scenario.call("GET", result["url"])
    assert (status, original["content"]) == (200, message)

    _, exported = await scenario.call("GET", f"{own}/export")
    assert [item["content"] for item in exported["messages"]] == [message, response["response"]]

    status, _ = await scenario.call("DELETE", own)
    assert status == 204
    assert (await scenario.call("GET", own))[0] == 404
    assert (await scenario.call("GET", f"/api/runs/{response['run_id']}"))[0] == 404
    _, found = await scenario.call("GET", f"/api/search?q={WORD}")
    assert found["results"] == []

    async def gone() -> bool:
        left = [
            await scenario.fetch(f"SELECT 1 FROM {table} WHERE {column} = $1::text::uuid", value)
            for table, column, value in (
                ("conversations", "id", conversation["id"].removeprefix("conv_")),
                ("messages", "conversation_id", conversation["id"].removeprefix("conv_")),
                ("runs", "conversation_id", conversation["id"].removeprefix("conv_")),
                ("run_events", "run_id", response["run_id"].removeprefix("run_")),
                ("run_logs", "run_id", response["run_id"].removeprefix("run_")),
            )
        ]
        return not any(left)

    await eventually(gone)


async def test_retry_and_delete_a_message(scenario: Scenario) -> None:
    response = await scenario.chat()
    conversation = f"/api/conversations/{response['conversation_id']}"
    messages = f"{conversation}/messages"
    status, revised = await scenario.call(
        "PATCH", f"{messages}/{response['message_id']}", {"content": "Better."}
    )
    assert status == 200
    assert (revised["content"], revised["edited"]) == ("Better.", True)
    assert revised["id"] != response["message_id"]
    _, page = await scenario.call("GET", messages)
    assert page["items"][-1]["id"] == revised["id"]
    assert (await scenario.call("DELETE", f"{messages}/{revised['id']}"))[0] == 204
    assert (await scenario.call("GET", f"{messages}/{revised['id']}"))[0] == 404


async def test_pages_are_stable_while_messages_arrive(scenario: Scenario) -> None:
    response = await scenario.chat()
    for _ in range(2):
        await scenario.chat(conversation_id=response["conversation_id"])
    messages = f"/api/conversations/{response['conversation_id']}/messages"
    _, whole = await scenario.call("GET", messages)
    _, first = await scenario.call("GET", f"{messages}?limit=4")
    await scenario.chat(conversation_id=response["conversation_id"])
    _, second = await scenario.call("GET", f"{messages}?limit=4&cursor={first['next_cursor']}")
    assert first["items"] + second["items"][:2] == whole["items"]
    assert len(second["items"]) == 4


async def test_stream_by_post(scenario: Scenario) -> None:
    for path in ("/api/chat", "/api/chat/stream"):
        message = scenario.message(Script(words=4))
        body = {"message": message, "provider": "openai", "model": "fake", "stream": True}
        headers = {"X-API-Key": KEY, "Content-Type": "application/json"}
        octets = json.dumps(body).encode()
        answer = await raw_http.request(scenario.server.port, "POST", path, headers, octets)
        async with answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            raw = (await answer.body()).decode()
        last = json.loads(raw.rstrip().rpartition("data: ")[2])
        assert last["data"]["final_response"] == scenario.answers[message]


async def test_models_and_agents(scenario: Scenario) -> None:
    _, team = await scenario.call("GET", "/api/agents")
    assert team["total"] == len(team["agents"]) >= 1
    for agent in team["agents"]:
        assert await scenario.call("GET", f"/api/agents/{agent['id']}") == (200, agent)
        assert agent["status"] in ("idle", "busy")
        assert "/" in agent["model"]
    assert (await scenario.call("GET", "/api/agents/nobody"))[0] == 404
    _, models = await scenario.call("GET", "/api/models")
    assert models["models"] == [model["id"] for model in models["data"]]
    assert "offline/assistant" in models["models"]

"""Forking, editing and retrying create branches and leave earlier messages unchanged."""

from tests.harness.fake_provider.script import Script
from tests.harness.scenario import Scenario


async def test_fork_edit_retry(scenario: Scenario) -> None:
    first = await scenario.chat(Script(words=5))
    conversation = first["conversation_id"]
    second = await scenario.chat(Script(words=5), conversation_id=conversation)
    messages = f"/api/conversations/{conversation}/messages"
    _, page = await scenario.call("GET", messages)
    asked, answered, asked_again, _ = page["items"]
    assert answered["content"] == first["response"]

    status, retried = await scenario.call("POST", f"{messages}/{second['message_id']}/retry")
    assert status == 200
    assert retried["message_id"] != second["message_id"]
    assert retried["message"]["parent_id"] == asked_again["id"]

    other = scenario.message(Script(words=4))
    status, edited = await scenario.call(
        "PUT", f"{messages}/{asked_again['id']}", {"content": other}
    )
    assert status == 200
    assert edited["response"] == scenario.answers[other]
    _, page = await scenario.call("GET", messages)
    contents = [item["content"] for item in page["items"]]
    assert contents == [asked["content"], first["response"], other, edited["response"]]

    status, old = await scenario.call("GET", f"{messages}/{second['message_id']}")
    assert (status, old["content"]) == (200, second["response"])

    body = {"message_id": answered["id"]}
    status, fork = await scenario.call("POST", f"/api/conversations/{conversation}/fork", body)
    assert status == 201
    _, page = await scenario.call("GET", f"/api/conversations/{fork['id']}/messages")
    assert [item["content"] for item in page["items"]] == contents[:2]
    await scenario.chat(Script(words=3), conversation_id=fork["id"])
    _, page = await scenario.call("GET", messages)
    assert [item["content"] for item in page["items"]] == contents


async def test_back_to_an_earlier_branch(scenario: Scenario) -> None:
    first = await scenario.chat(Script(words=5))
    path = f"/api/conversations/{first['conversation_id']}"
    status, straight = await scenario.call("GET", f"{path}/branches")
    assert (status, straight) == (200, {"items": [], "total": 0})
    _, retried = await scenario.call("POST", f"{path}/messages/{first['message_id']}/retry")

    status, found = await scenario.call("GET", f"{path}/branches")
    assert status == 200
    question = retried["message"]["parent_id"]
    answers = [first["message_id"], retried["message_id"]]
    assert found == {"items": [{"parent_id": question, "message_ids": answers}], "total": 1}

    status, chosen = await scenario.call("POST", f"{path}/messages/{answers[0]}/select")
    assert (status, chosen["head_message_id"]) == (200, answers[0])
    _, page = await scenario.call("GET", f"{path}/messages")
    assert [item["id"] for item in page["items"]] == [question, answers[0]]
    later = await scenario.chat(Script(words=3), conversation_id=first["conversation_id"])
    status, chosen = await scenario.call("POST", f"{path}/messages/{answers[0]}/select")
    assert chosen["head_message_id"] == later["message_id"]

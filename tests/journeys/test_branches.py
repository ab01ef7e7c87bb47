"""Fork, edit and retry make branches; what was said before stays where it was."""

from tests.harness.fake_provider.script import Script
from tests.harness.story import Story


async def test_fork_edit_retry(story: Story) -> None:
    first = await story.say(Script(words=5))
    conversation = first["conversation_id"]
    second = await story.say(Script(words=5), conversation_id=conversation)
    messages = f"/api/conversations/{conversation}/messages"
    _, page = await story.call("GET", messages)
    asked, answered, asked_again, _ = page["items"]
    assert answered["content"] == first["response"]

    status, retried = await story.call("POST", f"{messages}/{second['message_id']}/retry")
    assert status == 200
    assert retried["message_id"] != second["message_id"]
    assert retried["message"]["parent_id"] == asked_again["id"]

    other = story.message(Script(words=4))
    status, edited = await story.call("PUT", f"{messages}/{asked_again['id']}", {"content": other})
    assert status == 200
    assert edited["response"] == story.said[other]
    _, page = await story.call("GET", messages)
    told = [item["content"] for item in page["items"]]
    assert told == [asked["content"], first["response"], other, edited["response"]]

    status, old = await story.call("GET", f"{messages}/{second['message_id']}")
    assert (status, old["content"]) == (200, second["response"])

    body = {"message_id": answered["id"]}
    status, fork = await story.call("POST", f"/api/conversations/{conversation}/fork", body)
    assert status == 201
    _, page = await story.call("GET", f"/api/conversations/{fork['id']}/messages")
    assert [item["content"] for item in page["items"]] == told[:2]
    await story.say(Script(words=3), conversation_id=fork["id"])
    _, page = await story.call("GET", messages)
    assert [item["content"] for item in page["items"]] == told

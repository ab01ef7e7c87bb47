"""What people think of answers is kept with them, and only they see it."""

from typing import Any
from uuid import uuid4

import pytest
from tests.harness.fake_provider.script import Script
from tests.harness.scenario import Scenario
from tests.journeys.accounts import new_key, new_tenant, new_user


def path_of(message: str) -> str:
    return f"/api/messages/{message}/feedback"


async def test_the_latest_feedback_is_kept(scenario: Scenario) -> None:
    answer = await scenario.chat(Script(words=3))
    path = path_of(answer["message_id"])
    status, missing = await scenario.call("GET", path)
    assert (status, missing["code"]) == (404, "feedback_not_found")

    status, first = await scenario.call("POST", path, {"score": -1, "comment": " Too short. "})
    assert status == 200, first
    assert (first["message_id"], first["score"]) == (answer["message_id"], -1)
    assert first["comment"] == "Too short."
    status, second = await scenario.call("POST", path, {"score": 0.5})
    assert (status, second["score"], second["comment"]) == (200, 0.5, None)
    assert await scenario.call("GET", path) == (200, second)

    rows = await scenario.fetch(
        "SELECT run_id, score FROM feedback WHERE message_id = $1::text::uuid",
        answer["message_id"].removeprefix("msg_"),
    )
    (row,) = rows
    assert answer["run_id"] == f"run_{row['run_id'].hex}"

    status, _ = await scenario.call("DELETE", path)
    assert status == 204
    status, _ = await scenario.call("GET", path)
    assert status == 404
    status, _ = await scenario.call("DELETE", path)
    assert status == 404


async def test_it_goes_with_its_conversation(scenario: Scenario) -> None:
    answer = await scenario.chat(Script(words=3))
    await scenario.call("POST", path_of(answer["message_id"]), {"score": 1})
    messages = f"/api/conversations/{answer['conversation_id']}/messages"
    status, _ = await scenario.call("DELETE", f"{messages}/{answer['message_id']}")
    assert status == 204
    rows = await scenario.fetch(
        "SELECT 1 FROM feedback WHERE message_id = $1::text::uuid",
        answer["message_id"].removeprefix("msg_"),
    )
    assert rows == []


async def test_an_answer_that_was_edited_by_a_person_is_judged_too(scenario: Scenario) -> None:
    answer = await scenario.chat(Script(words=3))
    messages = f"/api/conversations/{answer['conversation_id']}/messages"
    _, revised = await scenario.call(
        "PATCH", f"{messages}/{answer['message_id']}", {"content": "Mine."}
    )
    status, given = await scenario.call("POST", path_of(revised["id"]), {"score": 5})
    assert (status, given["score"]) == (200, 5)


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({}, "score"),
        ({"score": "good"}, "score"),
        ({"score": 101}, "score"),
        ({"score": None}, "score"),
        ({"score": 1, "comment": "x" * 10_001}, "comment"),
        ({"score": 1, "comment": 7}, "comment"),
    ],
)
async def test_what_is_no_feedback(scenario: Scenario, body: Any, named: str) -> None:
    answer = await scenario.chat(Script(words=3))
    status, refused = await scenario.call("POST", path_of(answer["message_id"]), body)
    assert (status, refused["code"]) == (422, "validation_error"), refused
    assert named in str(refused)


async def test_questions_are_not_judged(scenario: Scenario) -> None:
    answer = await scenario.chat(Script(words=3))
    messages = f"/api/conversations/{answer['conversation_id']}/messages"
    _, page = await scenario.call("GET", messages)
    status, refused = await scenario.call("POST", path_of(page["items"][0]["id"]), {"score": 1})
    assert (status, refused["code"]) == (422, "validation_error")
    assert "answers" in str(refused)


async def test_answers_of_others_are_not_there(scenario: Scenario) -> None:
    answer = await scenario.chat(Script(words=3))
    other = await new_key(scenario, await new_user(scenario, await new_tenant(scenario)))
    for message in (answer["message_id"], f"msg_{uuid4().hex}", "nothing"):
        for method, body in (("POST", {"score": 1}), ("GET", None), ("DELETE", None)):
            status, refused = await scenario.call(
                method, path_of(message), body, X_API_Key=other["key"]
            )
            assert (status, refused["code"]) == (404, "message_not_found")

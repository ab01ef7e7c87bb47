"""Files in conversations: what was uploaded reaches the model, by every API that names it."""

import json
from typing import Any
from uuid import uuid4

import pytest
from tests.harness.documents import docx, pdf, png
from tests.harness.fake_provider.script import Script, directive
from tests.harness.scenario import Scenario
from tests.harness.uploads import fetch, send, uploaded
from tests.harness.websockets import opened
from tests.journeys.v1 import exchange_with, post_json


def question() -> tuple[str, str]:
    """A unique word, and a question that holds it."""
    word = f"needle-{uuid4().hex}"
    return word, f"What is {word}? {directive(Script(text='That.'))}"


def sent_to_model(scenario: Scenario, word: str) -> list[Any]:
    """The content of the last message of the user that the model got with this word."""
    body = json.loads(exchange_with(scenario, word).body)
    content = (body.get("messages") or body["input"])[-1]["content"]
    return content if isinstance(content, list) else [{"type": "text", "text": content}]


async def test_a_chat_with_files(scenario: Scenario) -> None:
    pages = pdf("The heliotrope", "stands beside the blue pump")
    first = await uploaded(scenario, "garden.pdf", pages)
    assert (first["status"], first["pages"], first["progress"]) == ("ready", 2, 1.0)
    second = await uploaded(scenario, "notes.docx", docx("Water it daily"))
    image = await uploaded(scenario, "a.png", png(3, 2))
    word, message = question()
    files = [first["id"], second["id"], image["id"]]
    answer = await scenario.chat(message=message, attachments=files, model="capable")
    assert answer["response"] == "That."
    text = "".join(part.get("text", "") for part in sent_to_model(scenario, word))
    assert "[File: garden.pdf]\n[Page 1]\nThe heliotrope\n[Page 2]\nstands beside" in text
    assert "[File: notes.docx]\nWater it daily" in text
    assert text.endswith(message)
    [shown] = [part for part in sent_to_model(scenario, word) if part["type"] == "image_url"]
    assert shown["image_url"]["url"].startswith("data:image/png;base64,")


async def test_files_over_a_websocket(scenario: Scenario) -> None:
    file = await uploaded(scenario, "a.txt", f"The blue pump {uuid4().hex}".encode())
    word, message = question()
    chat = {"type": "chat", "message": message, "model": "openai/fake"}
    async with opened(scenario.server.port) as socket:
        await socket.send(**chat, attachments=[file["id"]])
        assert (await socket.until_end())[-1]["response"] == "That."
        await socket.send(**chat, attachments=["file_" + "0" * 32])
        assert (await socket.next())["code"] == "file_not_found"
    assert "The blue pump" in sent_to_model(scenario, word)[0]["text"]


async def test_a_question_in_other_words_keeps_its_files(scenario: Scenario) -> None:
    file = await uploaded(scenario, "a.txt", f"text of {uuid4().hex}".encode())
    _, message = question()
    answer = await scenario.chat(message=message, attachments=[file["id"]])
    conversation, asked = answer["conversation_id"], answer["message"]["parent_id"]
    path = f"/api/conversations/{conversation}/messages/{asked}"
    status, told = await scenario.call("GET", path)
    assert status == 200
    assert told["parts"][0] == {
        "type": "attachment",
        "media_type": "text/plain",
        "attachment_id": file["id"],
        "name": "a.txt",
    }
    word, other = question()
    status, _ = await scenario.call("PATCH", path, {"content": other})
    assert status == 200
    assert "text of" in sent_to_model(scenario, word)[0]["text"]


async def test_a_file_that_was_deleted_is_told_of(scenario: Scenario) -> None:
    file = await uploaded(scenario, "a.txt", f"secret {uuid4().hex}".encode())
    _, message = question()
    answer = await scenario.chat(message=message, attachments=[file["id"]])
    assert (await fetch(scenario, f"/api/files/{file['id']}", "DELETE"))[0] == 204
    word, message = question()
    await scenario.chat(message=message, conversation_id=answer["conversation_id"])
    body = exchange_with(scenario, word).body
    assert "[The file a.txt is not there any more.]" in body
    assert "secret" not in body
    status, told = await scenario.call(
        "POST", "/api/chat", {"message": "Hi", "attachments": [file["id"]]}
    )
    assert (status, told["code"]) == (404, "file_not_found")


async def test_files_of_a_conversation(scenario: Scenario) -> None:
    _, made = await scenario.call(
        "POST", "/api/conversations", {"external_id": f"named-{uuid4().hex}"}
    )
    name = made["id"]
    content = uuid4().hex.encode()
    for file in ("a.txt", "b.txt"):
        status, told = await send(
            scenario, ("file", file, content), fields={"conversation_id": name}
        )
        assert (status, told["conversation_id"]) == (201, name)
    status, page = await scenario.call("GET", f"/api/files?conversation_id={name}&limit=1")
    assert [each["filename"] for each in page["items"]] == ["b.txt"]
    cursor = page["next_cursor"]
    status, page = await scenario.call(
        "GET", f"/api/files?conversation_id={name}&limit=1&cursor={cursor}"
    )
    assert ([each["filename"] for each in page["items"]], page["next_cursor"]) == (["a.txt"], None)
    status, told = await send(
        scenario, ("file", "c.txt", b"x"), fields={"conversation_id": "conv_" + "0" * 32}
    )
    assert (status, told["code"]) == (404, "conversation_not_found")


async def test_several_files_at_once(scenario: Scenario) -> None:
    word = uuid4().hex
    files = [(f"files[{number}]", f"{number}.txt", f"{word}{number}".encode()) for number in (0, 1)]
    status, told = await send(scenario, *files, path="/api/upload/multiple")
    assert (status, told["total"]) == (201, 2)
    assert [each["filename"] for each in told["files"]] == ["0.txt", "1.txt"]
    status, _, body = await fetch(scenario, told["files"][1]["url"])
    assert (status, body.decode()) == (200, f"{word}1")


async def test_images_are_shown_anew(scenario: Scenario) -> None:
    image = await uploaded(scenario, "a.png", png(5, 4))
    status, headers, body = await fetch(scenario, image["image_url"])
    assert (status, headers["content-type"]) == (200, "image/png")
    assert headers["content-disposition"].startswith("inline;")
    assert "sandbox" in headers["content-security-policy"]
    assert body.startswith(b"\x89PNG")
    tag = headers["etag"]
    assert (await fetch(scenario, image["image_url"], If_None_Match=tag))[0] == 304
    text = await uploaded(scenario, "a.txt", uuid4().hex.encode())
    assert text["image_url"] is None
    assert (await fetch(scenario, f"/api/files/{text['id']}/image"))[0] == 404


def chat(message: str, file_id: str) -> tuple[str, dict[str, Any]]:
    parts = [
        {"type": "file", "file": {"file_id": file_id}},
        {"type": "text", "text": message},
    ]
    messages = [{"role": "user", "content": parts}]
    return "/v1/chat/completions", {"model": "openai/capable", "messages": messages}


def response(message: str, file_id: str) -> tuple[str, dict[str, Any]]:
    parts = [
        {"type": "input_file", "file_id": file_id},
        {"type": "input_text", "text": message},
    ]
    given = [{"role": "user", "content": parts}]
    return "/v1/responses", {"model": "openai/capable", "input": given}


def message_of(message: str, file_id: str) -> tuple[str, dict[str, Any]]:
    blocks = [
        {"type": "document", "source": {"type": "file", "file_id": file_id}},
        {"type": "text", "text": message},
    ]
    messages = [{"role": "user", "content": blocks}]
    return "/v1/messages", {"model": "openai/capable", "messages": messages, "max_tokens": 99}


@pytest.mark.parametrize("stored", [False, True])
@pytest.mark.parametrize("asking", [chat, response, message_of])
async def test_files_on_the_surfaces_of_vendors(
    scenario: Scenario, asking: Any, stored: bool
) -> None:
    file = await uploaded(scenario, "a.txt", f"The blue pump {uuid4().hex}".encode())
    word, message = question()
    path, body = asking(message, file["id"])
    status, told = await post_json(scenario, path, {**body, "store": stored})
    assert status == 200, told
    content = sent_to_model(scenario, word)
    assert content[0]["type"] in ("text", "input_text")
    assert content[0]["text"].startswith("[File: a.txt]\nThe blue pump")
    assert file["id"] not in exchange_with(scenario, word).body


@pytest.mark.parametrize("stored", [False, True])
@pytest.mark.parametrize("asking", [chat, response, message_of])
async def test_files_that_are_not_there(scenario: Scenario, asking: Any, stored: bool) -> None:
    path, body = asking("And?", "file_" + "0" * 32)
    status, told = await post_json(scenario, path, {**body, "store": stored})
    assert status == 404, told


async def test_tokens_of_files_are_counted(scenario: Scenario) -> None:
    file = await uploaded(scenario, "a.txt", f"{'The blue pump. ' * 100}{uuid4().hex}".encode())
    _, body = message_of("And?", file["id"])
    body.pop("max_tokens")
    status, told = await post_json(scenario, "/v1/messages/count_tokens", body)
    assert (status, told["input_tokens"] > 200) == (200, True)


async def test_a_response_follows_one_with_a_file(scenario: Scenario) -> None:
    file = await uploaded(scenario, "a.txt", f"The blue pump {uuid4().hex}".encode())
    _, message = question()
    path, body = response(message, file["id"])
    status, first = await post_json(scenario, path, body)
    assert status == 200, first
    word, message = question()
    body = {"model": "openai/fake", "input": message, "previous_response_id": first["id"]}
    status, told = await post_json(scenario, path, {**body, "store": False})
    assert status == 200, told
    assert "The blue pump" in exchange_with(scenario, word).body

"""Without any key: a PDF is asked about and cited, agents are found, and a scripted team works."""

import json
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from tests.harness.documents import pdf
from tests.harness.fake_provider.launch import FakeProvider
from tests.harness.scenario import Scenario
from tests.harness.server import Server
from tests.harness.uploads import uploaded
from tests.journeys.v1 import post_json

CODE = "The maintenance code of the Tallinn pump is QX-7731."
QUESTION = "What is the maintenance code of the Tallinn pump?"
SCRIPT = {
    "scenes": [
        {
            "when": "team",
            "steps": [
                {"tool_call": {"name": "delegate", "arguments": {"agent": agent, "task": task}}}
                for agent, task in (("researcher", "look it up"), ("analyst", "add it up"))
            ],
        },
        {"when": "look it up", "steps": [{"text": "It was looked up."}]},
        {
            "when": "add it up",
            "steps": [{"tool_call": {"name": "calculator", "arguments": {"expression": "6*7"}}}],
        },
        {"after_tool": "calculator", "steps": [{"text": "It is 42."}]},
        {"after_tool": "delegate", "steps": [{"text": "Both agree on 42."}]},
    ]
}


@pytest.fixture(scope="module")
def keyless(provider: FakeProvider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scenario]:
    """A server that nobody has given a key, with a script beside its built-in assistant."""
    script: Path = tmp_path_factory.mktemp("offline") / "script.yaml"
    script.write_text(json.dumps(SCRIPT))
    settings = {
        "OPENAI_BASE_URL": "",
        "OPENAI_API_KEY": "",
        "CARTRITA_DEFAULT_MODEL": "",
        "CARTRITA_OFFLINE_SCRIPT": str(script),
        "CARTRITA_OFFLINE_TOKEN_DELAY_S": "0",
    }
    with Server(provider_url="", settings=settings) as server:
        yield Scenario(server, provider)


async def test_a_pdf_is_asked_about_and_its_page_is_cited(keyless: Scenario) -> None:
    pages = [f"Filler about bed {number} and the weather." for number in range(40)]
    pages[17] = CODE
    file = await uploaded(keyless, "pumps.pdf", pdf(*pages))
    status, answer = await keyless.call(
        "POST", "/api/chat", {"message": QUESTION, "attachments": [file["id"]]}
    )
    assert status == 200, answer
    assert (answer["provider"], answer["model"]) == ("offline", "assistant")
    assert f"[1] (pumps.pdf, page 18, passage 1) “{CODE}”" in answer["response"]
    assert answer["sources"][0] == {
        "index": 1,
        "title": "pumps.pdf, page 18, passage 1",
        "url": f"/api/files/{file['id']}/content#page=18&passage=1",
        "snippet": CODE,
    }
    later = {"message": "And the pump's code again?", "conversation_id": answer["conversation_id"]}
    _, answer = await keyless.call("POST", "/api/chat", later)
    assert "QX-7731" in answer["response"]


async def test_a_file_is_asked_about_by_the_sdks(keyless: Scenario) -> None:
    filler = "Filler about gardens. " * 400
    file = await uploaded(keyless, "long.txt", f"{filler}{uuid4().hex}. {CODE} {filler}".encode())
    parts = [
        {"type": "file", "file": {"file_id": file["id"]}},
        {"type": "text", "text": QUESTION},
    ]
    body = {"model": "offline/assistant", "messages": [{"role": "user", "content": parts}]}
    status, completion = await post_json(keyless, "/v1/chat/completions", body)
    assert status == 200, completion
    assert CODE in completion["choices"][0]["message"]["content"]
    [cited, *_] = completion["choices"][0]["message"]["annotations"]
    assert cited["url_citation"]["title"].startswith("long.txt, page ")
    source = {"type": "file", "file_id": file["id"]}
    blocks = [{"type": "document", "source": source}, {"type": "text", "text": QUESTION}]
    body = {**body, "messages": [{"role": "user", "content": blocks}], "max_tokens": 500}
    status, message = await post_json(keyless, "/v1/messages", body)
    assert status == 200, message
    cited = message["content"][0]["citations"][0]
    assert (cited["type"], cited["file_id"]) == ("page_location", file["id"])
    assert CODE in cited["cited_text"]


async def test_agents_are_found_by_other_agents(keyless: Scenario) -> None:
    status, card = await keyless.call("GET", "/.well-known/agent-card.json")
    assert (status, card["name"]) == (200, "Cartrita")
    asked = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
    status, told = await post_json(keyless, "/mcp", asked)
    assert status == 200, told
    names = {tool["name"] for tool in told["result"]["tools"]}
    assert {"supervisor", "researcher", "knowledge"} <= names


async def test_a_scripted_team_works(keyless: Scenario) -> None:
    asked = {
        "message": "Let the team work.",
        "model": "offline/script",
        "agent_override": "supervisor",
    }
    status, answer = await keyless.call("POST", "/api/chat", asked)
    assert status == 200, answer
    assert answer["response"] == "Both agree on 42.", answer
    assert answer["metadata"]["agents_used"][0] == "supervisor"
    assert sorted(answer["metadata"]["agents_used"]) == ["analyst", "researcher", "supervisor"]

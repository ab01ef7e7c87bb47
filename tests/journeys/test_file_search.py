"""Questions about files: agents find the page, cite it, and read it; the owner finds the file."""

import asyncio
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from tests.harness.documents import pdf
from tests.harness.fake_provider.launch import FakeProvider
from tests.harness.fake_provider.replaced_responses import ReplacedResponse
from tests.harness.fake_provider.script import Script, directive
from tests.harness.scenario import Scenario, eventually
from tests.harness.server import Server
from tests.harness.uploads import uploaded
from tests.harness.websockets import opened
from tests.journeys.test_files import chat, message_of, question, response, sent_to_model
from tests.journeys.test_research import events_of, results_of, task, use
from tests.journeys.v1 import exchange_with, post_json

_PAGES = 300
_PAGE = 217


def long_pdf(word: str) -> bytes:
    """Many pages, of which one tells where the heliotrope stands."""
    pages = [f"Page of bed {number}, where moss grows in the shade." for number in range(_PAGES)]
    pages[_PAGE - 1] = f"The heliotrope {word} stands beside the blue pump."
    return pdf(*pages)


@pytest.fixture(scope="module")
def short(provider: FakeProvider) -> Iterator[Scenario]:
    """A server that tells models little of files."""
    settings = {"CARTRITA_FILES_CONTEXT_CHARS": "2000"}
    with Server(provider_url=provider.base_url, settings=settings) as server:
        yield Scenario(server, provider)


async def test_the_right_page_of_a_long_pdf_is_cited(scenario: Scenario) -> None:
    word = f"bed{uuid4().hex}"
    file = await uploaded(scenario, f"{word}.pdf", long_pdf(word))
    assert (file["status"], file["pages"]) == ("ready", _PAGES)
    calls = (
        task(
            "knowledge",
            use("search_files", query=f"Where does the heliotrope {word} stand?", max_results=3),
            use("read_file", file=f"{word}.pdf", first_page=_PAGE),
            Script(text="Beside the blue pump [1]."),
        ),
    )
    told = await events_of(
        scenario, Script(text="I ask.", tool_calls=calls), Script(text="At the pump [1].")
    )
    results = results_of(told)
    assert all(one["success"] for one in results.values()), results
    found = results["search_files"]["result"]
    first = found.split("\n\n")[1]
    assert first.startswith(f"{word}.pdf, page {_PAGE} of {_PAGES}, passage 1:\n")
    assert "blue pump" in first
    assert f"[Page {_PAGE}]\nThe heliotrope" in results["read_file"]["result"]
    [cited] = [one for one in told["source"] if one["index"] == 1]
    assert cited["title"] == f"{word}.pdf, page {_PAGE}, passage 1"
    assert cited["url"] == f"/api/files/{file['id']}/content#page={_PAGE}&passage=1"


async def test_a_long_file_is_told_by_its_best_passages(short: Scenario) -> None:
    word = f"bed{uuid4().hex}"
    file = await uploaded(short, "beds.pdf", long_pdf(word))
    asked, message = question()
    message = f"Where is the heliotrope {word}? {message}"
    await short.chat(message=message, attachments=[file["id"]], model="capable")
    text = "".join(part.get("text", "") for part in sent_to_model(short, asked))
    assert f"[Page {_PAGE}, passage 1]\nThe heliotrope {word}" in text
    assert "match the question, not the whole file. Name the page of what you use of it.]" in text
    assert len(text) < 4000


async def test_an_answer_from_attached_files_cites_them(scenario: Scenario) -> None:
    word = f"bed{uuid4().hex}"
    file = await uploaded(scenario, f"{word}.pdf", pdf("Moss.", f"The heliotrope {word} stands."))
    asked, message = question()
    body = {"message": f"Where is the heliotrope {word}? {message}", "attachments": [file["id"]]}
    async with opened(scenario.server.port) as socket:
        await socket.send(type="chat", model="openai/fake", **body)
        told = await socket.until_end()
    source = {
        "index": 1,
        "title": f"{word}.pdf, page 2, passage 1",
        "url": f"/api/files/{file['id']}/content#page=2&passage=1",
        "snippet": f"The heliotrope {word} stands.",
    }
    kinds = [frame["event"] for frame in told]
    assert kinds.index("source") < kinds.index("token")
    [found] = [frame["data"] for frame in told if frame["event"] == "source"]
    assert found == source
    text = "".join(part.get("text", "") for part in sent_to_model(scenario, asked))
    assert f"cite as [n] those that you use:\n[1] {source['title']}\n]" in text


async def test_an_answer_that_fails_cites_nothing(scenario: Scenario) -> None:
    file = await uploaded(scenario, "a.txt", f"The heliotrope {uuid4().hex}".encode())
    message = f"The heliotrope? {directive(Script(faults=(ReplacedResponse(status=400),)))}"
    body = {"message": message, "attachments": [file["id"]], "model": "openai/fake"}
    async with opened(scenario.server.port) as socket:
        await socket.send(type="chat", **body)
        told = await socket.until_end()
    assert [frame["event"] for frame in told] == ["stream_start", "error"]


async def test_the_apis_of_vendors_cite_attached_files_as_they_cite_files(
    scenario: Scenario,
) -> None:
    name = f"{uuid4().hex}.pdf"
    file = await uploaded(scenario, name, pdf("Moss.", f"The heliotrope {name} stands."))
    found: list[Any] = []
    for asking in (response, message_of, chat):
        _, message = question()
        path, body = asking(f"Where is the heliotrope? {message}", file["id"])
        status, told = await post_json(scenario, path, {**body, "model": "cartrita"})
        assert status == 200, told
        found.append(told)
    by_responses, by_messages, by_chat = found
    [annotation] = by_responses["output"][0]["content"][0]["annotations"]
    told = (annotation["type"], annotation["file_id"], annotation["filename"])
    assert told == ("file_citation", file["id"], name)
    [cited] = by_messages["content"][0]["citations"]
    assert (cited["type"], cited["file_id"]) == ("page_location", file["id"])
    assert (cited["start_page_number"], cited["document_title"]) == (2, name)
    [cited] = by_chat["choices"][0]["message"]["annotations"]
    assert cited["url_citation"]["title"] == f"{name}, page 2, passage 1"


def answer_by(told: dict[str, Any]) -> list[Any]:
    """What the answer of an API adds to the history that the next request brings."""
    if "choices" in told:
        return [told["choices"][0]["message"]]
    return told.get("output") or [{"role": "assistant", "content": told["content"]}]


@pytest.mark.parametrize("model", ["cartrita", "openai/capable", "anthropic/capable"])
@pytest.mark.parametrize("asking", [chat, response, message_of])
async def test_answers_that_cite_files_are_sent_back_as_they_came(
    scenario: Scenario, asking: Any, model: str
) -> None:
    name = f"{uuid4().hex}.pdf"
    file = await uploaded(scenario, name, pdf(f"The heliotrope {name} stands."))
    _, message = question()
    path, body = asking(f"Where is the heliotrope? {message}", file["id"])
    status, told = await post_json(scenario, path, {**body, "model": "cartrita"})
    assert status == 200, told
    asked, message = question()
    field = "input" if "input" in body else "messages"
    history = [*body[field], *answer_by(told), {"role": "user", "content": message}]
    status, told = await post_json(scenario, path, {**body, "model": model, field: history})
    assert status == 200, told
    sent = exchange_with(scenario, asked).body
    assert '"file_citation"' not in sent
    assert '"page_location"' not in sent


@pytest.mark.parametrize("stored", [False, True])
@pytest.mark.parametrize("asking", [chat, response, message_of])
async def test_the_apis_of_vendors_are_told_of_its_best_passages(
    short: Scenario, asking: Any, stored: bool
) -> None:
    word = f"bed{uuid4().hex}"
    file = await uploaded(short, "beds.pdf", long_pdf(word))
    asked, message = question()
    path, body = asking(f"Where is the heliotrope {word}? {message}", file["id"])
    status, told = await post_json(short, path, {**body, "store": stored})
    assert status == 200, told
    text = "".join(part.get("text", "") for part in sent_to_model(short, asked))
    assert f"[Page {_PAGE}, passage 1]\nThe heliotrope {word}" in text


async def test_files_are_found_by_their_words_and_names(scenario: Scenario) -> None:
    word = f"bed{uuid4().hex}"
    file = await uploaded(scenario, "garden.txt", f"The {word} is beside the pump".encode())
    path = f"/api/search?q={word}&types=file"
    status, told = await scenario.call("GET", path)
    assert (status, told["total"]) == (200, 1)
    [hit] = told["results"]
    assert (hit["type"], hit["id"], hit["title"]) == ("file", file["id"], "garden.txt")
    assert word in hit["snippet"]
    assert hit["url"] == f"/api/files/{file['id']}"
    named = await uploaded(scenario, f"{word}.txt", uuid4().hex.encode())
    _, told = await scenario.call("GET", path)
    assert {each["id"] for each in told["results"]} == {file["id"], named["id"]}


async def test_passages_are_embedded_by_the_configured_model(serve: Any) -> None:
    scenario: Scenario = serve(settings={"CARTRITA_FILES_EMBEDDINGS_MODEL": "openai/fake"})
    word = f"bed{uuid4().hex}"
    async with asyncio.timeout(60):
        await uploaded(scenario, "garden.txt", f"The {word} is beside the pump".encode())

        async def models() -> list[str]:
            rows = await scenario.fetch(
                "SELECT model FROM passage_embeddings"
                " JOIN passages USING (content_id, page, number)"
                " WHERE text LIKE $1 AND model IS NOT NULL",
                f"%{word}%",
            )
            return [row["model"] for row in rows]

        assert await eventually(models) == ["openai/fake"]
    calls = (task("knowledge", use("search_files", query=word), Script(text="There [1].")),)
    told = await events_of(scenario, Script(text="I.", tool_calls=calls), Script(text="There."))
    assert "garden.txt, page 1 of 1" in results_of(told)["search_files"]["result"]

"""The beginning of a long conversation is summarised once, and every later turn begins the same."""

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from tests.harness.fake_provider.faults import ReplacedResponse
from tests.harness.fake_provider.launch import FakeProvider
from tests.harness.fake_provider.script import Script, directive
from tests.harness.scenario import Scenario, eventually
from tests.harness.server import Server

MOST = 8
PRICES = """
[[prices]]
provider = "openai"
model = "fake-words"
checked = 2026-11-28
source = "made up"
input = "10"
output = "100"
"""


@pytest.fixture(scope="module")
def server(provider: FakeProvider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server on which eight messages are many."""
    prices = tmp_path_factory.mktemp("summaries") / "prices.toml"
    prices.write_text(PRICES)
    settings = {
        "CARTRITA_HISTORY_CONTEXT_MESSAGES": str(MOST),
        "CARTRITA_HISTORY_SUMMARIES": "true",
        "CARTRITA_HISTORY_SUMMARY_MODEL": "openai/fake-words",
        "CARTRITA_LEDGER_PRICES": str(prices),
        "CARTRITA_LEDGER_FLUSH_INTERVAL_S": "0.1",
    }
    with Server(provider_url=provider.base_url, settings=settings) as server:
        yield server


@pytest.fixture
def summarizing(server: Server, provider: FakeProvider) -> Scenario:
    return Scenario(server, provider)


class Talk:
    """A conversation, and what the model was sent in it."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.word = f"needle-{uuid4().hex}"
        self.conversation: str | None = None
        self.turns = 0

    async def turn(self, script: Script | None = None) -> dict[str, Any]:
        """Say something; the answer."""
        self.turns += 1
        said = f"{self.word} {self.turns}." + ("" if script is None else directive(script))
        body = {"message": said, "provider": "openai", "model": "fake"}
        if self.conversation is not None:
            body["conversation_id"] = self.conversation
        status, answer = await self.scenario.call("POST", "/api/chat", body)
        assert status == 200, answer
        self.conversation = answer["conversation_id"]
        return answer

    def sent(self, model: str) -> list[list[dict[str, Any]]]:
        """The messages of each request to a model."""
        bodies = [
            json.loads(exchange.body)
            for exchange in self.scenario.provider.requests()
            if self.word in exchange.body
        ]
        return [body["messages"] for body in bodies if body["model"] == model]


async def test_later_turns_begin_with_the_same_summary(summarizing: Scenario) -> None:
    talk = Talk(summarizing)
    answers = [await talk.turn() for _ in range(7)]
    turns, (summary,) = talk.sent("fake"), talk.sent("fake-words")
    first = next(n for n, one in enumerate(turns) if "summary of its first" in str(one))
    assert first == MOST // 2, "as soon as one message has no room"
    assert not any(answer["metadata"]["receipts"] for answer in answers[:first])
    (receipt,) = answers[first]["metadata"]["receipts"]
    assert (receipt["field"], receipt["kind"]) == ("messages", "approximated")
    system, given, *rest = turns[first]
    assert system["role"] == "system"
    assert receipt["why"].startswith(f"The first {2 * first + 1 - len(rest)} messages")
    for later in turns[first + 1 :]:
        assert later[: len(turns[first])] == turns[first], "the prefix that providers cache"
    assert talk.word in summary[-1]["content"]
    assert f"{talk.word} 1." in summary[-1]["content"]
    assert rest[0]["content"].startswith(talk.word)
    assert given["role"] == "user"


async def test_a_summary_is_summarised_in_its_turn(summarizing: Scenario) -> None:
    talk = Talk(summarizing)
    for _ in range(12):
        await talk.turn()
    summaries = talk.sent("fake-words")
    assert 2 <= len(summaries) <= 4
    assert "Summary of what came before" in summaries[-1][-1]["content"]
    assert all(len(one) <= MOST + 2 for one in talk.sent("fake"))


async def test_what_it_costs_is_in_the_ledger_and_the_answer(summarizing: Scenario) -> None:
    talk = Talk(summarizing)
    answers = [await talk.turn() for _ in range(5)]
    usage, before = answers[-1]["metadata"], answers[-2]["metadata"]
    assert (before["iterations"], usage["iterations"]) == (1, 2)
    (use,) = usage["agents"]
    assert use["token_usage"] == answers[-1]["token_usage"]
    run = answers[-1]["run_id"].removeprefix("run_")

    async def both() -> list[Any] | None:
        found = await summarizing.fetch(
            "SELECT model, cost, input_tokens FROM usage_ledger WHERE run_id = $1::text::uuid", run
        )
        return found if len(found) == 2 else None

    rows = {row["model"]: row for row in await eventually(both)}
    assert rows["fake-words"]["cost"] > Decimal(0)
    prompt = answers[-1]["token_usage"]["prompt_tokens"]
    assert sum(row["input_tokens"] for row in rows.values()) == prompt


async def test_without_a_summary_the_beginning_is_left_out(summarizing: Scenario) -> None:
    talk = Talk(summarizing)
    refused = Script(faults=(ReplacedResponse(status=400),))
    summarizing.provider.script(refused, model="fake-words")
    try:
        answers = [await talk.turn() for _ in range(6)]
    finally:
        summarizing.provider.script(Script(), model="fake-words")
    answer = answers[-1]
    assert answer["metadata"]["receipts"] == []
    assert answer["metadata"]["iterations"] == 1
    *_, last = talk.sent("fake")
    assert "summary of its first" not in str(last)
    assert last[-1]["content"] == f"{talk.word} 6."
    assert len(last) <= MOST + 1
    answer = await talk.turn()
    assert answer["metadata"]["receipts"], "the next turn makes it"


async def test_deleted_messages_are_in_no_summary(summarizing: Scenario) -> None:
    talk = Talk(summarizing)
    for _ in range(6):
        answer = await talk.turn()
    path = f"/v1/conversations/{talk.conversation}/items"
    _, items = await summarizing.call("GET", f"{path}?order=asc&limit=1")
    status, _ = await summarizing.call("DELETE", f"{path}/{items['data'][0]['id']}")
    assert status == 200
    answer = await talk.turn()
    assert answer["metadata"]["receipts"]
    *_, last = talk.sent("fake-words")
    assert f"{talk.word} 1." not in last[-1]["content"]
    assert f"{talk.word} 2." in last[-1]["content"]

"""Agents get the prompts that they name, and an operator is told once of what is wrong."""

import pytest
from structlog.testing import capture_logs

from cartrita.agents.agent import Agent
from cartrita.agents.registry import AgentRegistry
from cartrita.application.agent_prompts import AgentPrompts
from cartrita.domain.prompts import Prompt, PromptNotTaken, PromptReference, PromptVersion

ONE, TWO = PromptReference(name="one"), PromptReference(name="two")


def agent(agent_id: str) -> Agent:
    return Agent(
        id=agent_id, name=agent_id, type="t", description="d", instructions=f"File of {agent_id}."
    )


class Reader:
    """Answers what a test says."""

    def __init__(self) -> None:
        self.found: dict[str, Prompt | PromptNotTaken] = {}

    def set(self, name: str, version: int, text: str) -> None:
        self.found[name] = Prompt(PromptVersion(name, version), text)

    def fail(self, name: str, outcome: int | str = 503, fix: str = "Do something.") -> None:
        self.found[name] = PromptNotTaken(outcome, fix)

    async def read(self, reference: PromptReference) -> Prompt:
        found = self.found[reference.name]
        if isinstance(found, PromptNotTaken):
            raise found
        return found


class Desk:
    """Two agents with a prompt each, and a clock."""

    def __init__(self, references: dict[str, PromptReference] | None = None) -> None:
        self.agents = AgentRegistry([agent("a"), agent("b")])
        self.reader = Reader()
        self.now = 0.0
        references = references or {"a": ONE, "b": TWO}
        self.prompts = AgentPrompts(
            self.agents, references, self.reader, 60.0, clock=lambda: self.now
        )

    def told(self, agent_id: str) -> tuple[str, PromptVersion | None]:
        found = self.agents.find(agent_id)
        return found.instructions, found.prompt

    async def refresh(self, at: float) -> list[str]:
        self.now = at
        with capture_logs() as logs:
            await self.prompts.refresh()
        return [one["event"] for one in logs]


@pytest.fixture
def desk() -> Desk:
    return Desk()


async def test_the_last_good_prompt_stays(desk: Desk) -> None:
    desk.reader.fail("one")
    desk.reader.set("two", 3, "Prompt two.")
    before = desk.agents.find("b")
    await desk.refresh(0)
    assert desk.told("a") == ("File of a.", None)
    assert desk.told("b") == ("Prompt two.", PromptVersion("two", 3))
    assert before.instructions == "File of b.", "a run keeps what it began with"
    desk.reader.fail("two")
    await desk.refresh(1)
    assert desk.told("b") == ("Prompt two.", PromptVersion("two", 3))


async def test_agents_with_labels_of_one_prompt_are_told_apart() -> None:
    desk = Desk({"a": ONE, "b": PromptReference(name="one", label="staging")})
    desk.reader.fail("one")
    with capture_logs() as logs:
        await desk.prompts.refresh()
    assert [(one["prompts"], one["agents"]) for one in logs] == [(["one"], ["a", "b"])]


async def test_each_thing_is_told_once_in_ten_minutes(desk: Desk) -> None:
    desk.reader.fail("one")
    desk.reader.fail("two")
    assert await desk.refresh(0) == ["prompts_not_taken"]
    assert await desk.refresh(599) == []
    assert await desk.refresh(600) == ["prompts_not_taken"]
    desk.reader.fail("two", "ReadTimeout")
    assert await desk.refresh(600) == [], "it is away in another way"
    desk.reader.fail("two", 404, "Make it.")
    assert await desk.refresh(601) == ["prompts_not_taken"]
    desk.reader.set("one", 1, "Prompt.")
    assert await desk.refresh(602) == ["prompt_taken"]
    desk.reader.set("two", 1, "Prompt.")
    assert await desk.refresh(603) == ["prompt_taken", "prompts_taken_again"]
    assert await desk.refresh(604) == []


async def test_what_comes_and_goes_is_told_as_seldom(desk: Desk) -> None:
    desk.reader.set("two", 1, "Prompt.")
    told: list[str] = []
    for second in range(1200):
        if second % 2:
            desk.reader.set("one", 1, "Prompt.")
        else:
            desk.reader.fail("one")
        told += await desk.refresh(second)
    told = [one for one in told if one != "prompt_taken"]
    assert told == ["prompts_not_taken", "prompts_taken_again"] * 2

"""The registry holds complete agents and finds them by id."""

import pytest

from cartrita.agents.agent import NO_AGENT, Agent
from cartrita.agents.registry import DEFAULT_AGENT, AgentRegistry
from cartrita.agents.roster import built_in_agents
from cartrita.domain.errors import NotFound

AGENTS = AgentRegistry(built_in_agents())


def test_every_agent_has_instructions() -> None:
    for agent in AGENTS:
        assert AGENTS.find(agent.id) is agent
        assert len(agent.instructions) > 100
        assert agent.description


def test_the_default_is_the_assistant() -> None:
    assert AGENTS.find(None) is AGENTS.find(DEFAULT_AGENT) is AGENTS.find("assistant")
    assert AGENTS.find("assistant").instructions.startswith("You are Cartrita")


def test_an_unknown_agent_is_not_found() -> None:
    with pytest.raises(NotFound, match="there are: supervisor") as caught:
        AGENTS.find("nobody")
    assert caught.value.code == "agent_not_found"


def test_only_runs_name_a_model_without_an_agent() -> None:
    with pytest.raises(NotFound):
        AGENTS.find(NO_AGENT.id)
    assert AGENTS.find_of_run(NO_AGENT.id) is NO_AGENT
    assert AGENTS.find_of_run("writer").id == "writer"


def test_agents_keep_the_order_in_which_they_were_given() -> None:
    agents = [
        Agent(id=name, name=name, type="t", description="d", instructions="i") for name in "ba"
    ]
    assert list(AgentRegistry(agents)) == agents

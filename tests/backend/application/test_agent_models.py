"""Agents answer under names of models: their own, and those of earlier servers."""

import pytest

from cartrita.agents.agent import NO_AGENT
from cartrita.agents.registry import DEFAULT_AGENT, AgentRegistry
from cartrita.agents.roster import built_in_agents
from cartrita.application.agent_models import AgentModels
from cartrita.domain.errors import NotFound

MODELS = AgentModels(AgentRegistry(built_in_agents()), "my-team")


@pytest.mark.parametrize(
    "name",
    ["cartrita", "cartrita-assistant", "cortex-flow", "cortex-flow-supervisor", "my-team"],
)
def test_a_name_of_an_agent(name: str) -> None:
    assert MODELS.agent_of(name) == DEFAULT_AGENT
    assert (name in MODELS.names) is (name != "cartrita-assistant"), "old names are not listed"


@pytest.mark.parametrize(("name", "agent"), [("research", "researcher"), ("coder", "coder")])
def test_old_names_of_agents(name: str, agent: str) -> None:
    assert MODELS.agent_of(f"cartrita-{name}") == agent


@pytest.mark.parametrize("name", ["gpt-5.4", "openai/gpt-5.4", "cartrita2", ""])
def test_a_name_of_a_model(name: str) -> None:
    assert MODELS.agent_of(name) is None


def test_an_agent_that_does_not_exist() -> None:
    with pytest.raises(NotFound, match="cartrita-supervisor") as refused:
        MODELS.agent_of("cartrita-nobody")
    assert refused.value.code == "model_not_found"
    with pytest.raises(NotFound, match="cartrita-supervisor"):
        MODELS.agent_of("cartrita-model")


def test_an_agent_has_instructions() -> None:
    (text,) = MODELS.instructions_of(DEFAULT_AGENT)
    assert text.text == AgentRegistry(built_in_agents()).find(None).instructions
    assert MODELS.instructions_of(NO_AGENT.id) == ()


def test_each_name_is_told_once() -> None:
    names = AgentModels(AgentRegistry(built_in_agents()), "cortex-flow").names
    assert len(names) == len(set(names))

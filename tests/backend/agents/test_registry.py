"""The registry holds complete agents and finds them by id."""

import pytest

from cartrita.agents.registry import DEFAULT_AGENT, agents, find_agent
from cartrita.domain.errors import NotFound


def test_every_agent_has_instructions() -> None:
    for name, one in agents().items():
        assert one.id == name
        assert len(one.instructions) > 100
        assert one.description


def test_the_default_is_the_assistant() -> None:
    assert find_agent(None) is find_agent(DEFAULT_AGENT) is agents()["assistant"]
    assert find_agent("assistant").instructions.startswith("You are Cartrita")


def test_an_unknown_agent_is_not_found() -> None:
    with pytest.raises(NotFound, match="there are: assistant") as caught:
        find_agent("nobody")
    assert caught.value.code == "agent_not_found"

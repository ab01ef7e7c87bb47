"""The team is there, each with instructions."""

import pytest

from cartrita.agents.roster import DEFAULT, agent, roster
from cartrita.domain.errors import NotFound


def test_everybody_knows_what_to_do() -> None:
    for name, one in roster().items():
        assert one.id == name
        assert len(one.instructions) > 100
        assert one.description


def test_the_default_is_the_assistant() -> None:
    assert agent(None) is agent(DEFAULT) is roster()["assistant"]
    assert agent("assistant").instructions.startswith("You are Cartrita")


def test_an_agent_that_is_not_there() -> None:
    with pytest.raises(NotFound, match="there are: assistant") as caught:
        agent("nobody")
    assert caught.value.code == "agent_not_found"

"""The directory tells what each agent is doing for its caller, with which model, and how often."""

from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec
import pytest
from tests.backend.application.fakes import gateway
from tests.backend.gateway.fakes import NamedProvider
from tests.backend.scripted_provider import ScriptedProvider

from cartrita.agents.agent import Agent
from cartrita.agents.registry import AgentRegistry
from cartrita.agents.roster import built_in_agents
from cartrita.application.agent_directory import AgentDirectory, AgentStatus
from cartrita.application.model_choice import AgentModelChoice
from cartrita.domain.agent_activity import AgentActivity
from cartrita.domain.errors import NotFound
from cartrita.domain.principals import Principal
from cartrita.domain.scopes import Scopes
from cartrita.tools.calculator import CALCULATOR
from cartrita.tools.toolbox import Toolbox

ANN = Principal("ann", "key")
NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)


class Counted:
    """An AgentActivityReader with what it is told."""

    def __init__(self, *activity: AgentActivity) -> None:
        self._activity = activity
        self.asked: list[str] = []

    async def activity(self, owner_id: str, since: datetime) -> Sequence[AgentActivity]:
        self.asked.append(owner_id)
        return self._activity


def directory(*activity: AgentActivity, agents: Sequence[Agent] = ()) -> AgentDirectory:
    registry = AgentRegistry(agents or built_in_agents())
    tools = Toolbox((CALCULATOR,))
    answering = gateway(ScriptedProvider([]), NamedProvider("elsewhere"))
    return AgentDirectory(registry, tools, Counted(*activity), AgentModelChoice(answering, tools))


async def test_what_the_agents_did() -> None:
    done = AgentActivity("writer", 3, NOON, 1), AgentActivity("coder", 2, NOON)
    listed = {each.agent.id: each for each in await directory(*done).list(ANN)}
    assert list(listed) == [agent.id for agent in built_in_agents()]
    writer, coder, task = (listed[name] for name in ("writer", "coder", "task"))
    assert (writer.status, writer.activity.times) == (AgentStatus.BUSY, 3)
    assert (coder.status, coder.activity.last_used_at) == (AgentStatus.IDLE, NOON)
    assert task.activity == AgentActivity("task")
    assert {each.model for each in listed.values()} == {"p/m"}


async def test_tools_that_are_switched_off_are_not_listed() -> None:
    found = await directory().get(ANN, "analyst")
    assert found.agent.tools == ("calculator",)


async def test_one_agent_by_an_old_name() -> None:
    found = await directory().get(ANN, "research")
    assert found.agent.id == "researcher"
    with pytest.raises(NotFound):
        await directory().get(ANN, "nobody")


async def test_agents_are_offline_for_who_may_use_no_model() -> None:
    scopes = Scopes(providers=("nowhere",))
    found = await directory().get(msgspec.structs.replace(ANN, scopes=scopes), "writer")
    assert (found.status, found.model) == (AgentStatus.OFFLINE, None)


@pytest.mark.parametrize("route", ["nothing-has-this-name", "elsewhere/m"])
async def test_a_route_that_cannot_be_used_is_that_of_the_request(route: str) -> None:
    """Runs of the agent are answered all the same: nobody has the model, or the key may not."""
    (agent,) = (each for each in built_in_agents() if each.id == "writer")
    lost = msgspec.structs.replace(agent, route=route)
    ann = msgspec.structs.replace(ANN, scopes=Scopes(providers=("p",)))
    found = await directory(agents=[lost]).get(ann, "writer")
    assert found.model == "p/m"

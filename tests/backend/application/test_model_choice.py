"""An agent that uses desktops works by models that see; any other works by what there is."""

from types import SimpleNamespace
from typing import cast

import pytest
from msgspec.structs import replace
from tests.backend.agents.loop_fixture import LoopFixture, called, completed, said
from tests.backend.application.executor_fixture import stopped
from tests.backend.application.fakes import claim
from tests.backend.application.runs_fixture import ANN, RunsFixture, ask
from tests.backend.gateway.fakes import ListingProvider, create_gateway

from cartrita.agents.agent import Agent
from cartrita.agents.registry import AgentRegistry
from cartrita.agents.roster import built_in_agents
from cartrita.application.agent_directory import AgentDirectory, AgentStatus
from cartrita.application.model_choice import AgentModelChoice
from cartrita.application.runs.model_runs import ModelCommand
from cartrita.domain.agent_activity import AgentActivity
from cartrita.domain.errors import InvalidInput
from cartrita.domain.events import TaskCompleted
from cartrita.domain.messages import Message, Role, Text
from cartrita.domain.ports.agents import AgentActivityReader
from cartrita.domain.ports.desktop_use import DesktopUse
from cartrita.domain.requests import ModelRequest
from cartrita.domain.runs import RunInput
from cartrita.gateway.gateway import Gateway
from cartrita.gateway.routes import Deployment, Route, Target
from cartrita.gateway.routing import Choice
from cartrita.tools.computer import computer_tool
from cartrita.tools.toolbox import Toolbox

SEES, BLIND, UNKNOWN = "openai/gpt-4o", "openai/gpt-3.5-turbo", "own/strange"
BUILT_IN = "offline/assistant"
NO_USE = cast("DesktopUse", SimpleNamespace(let_go=None))
DESKTOPS = computer_tool(NO_USE, (1280, 800), timeout_s=1.0)
AGENTS = AgentRegistry(built_in_agents())
OPERATOR = AGENTS.find("computer_use")
CANNOT = "cannot use a desktop, for which a model needs"


class Idle:
    """Nobody has done anything."""

    async def activity(self, *_: object) -> list[AgentActivity]:
        return []


def gateway(default: str, *route: str) -> Gateway:
    providers = [
        ListingProvider("openai", "gpt-4o", "gpt-3.5-turbo"),
        ListingProvider("own", "strange"),
        ListingProvider("offline", "assistant"),
    ]
    routes = {"computer_use": Route(targets=tuple(map(Target, route)))} if route else {}
    return create_gateway(*providers, routes=routes, default_model=default)


def choice(default: str, *route: str, tools: Toolbox | None = None) -> AgentModelChoice:
    return AgentModelChoice(gateway(default, *route), tools or Toolbox((DESKTOPS,)))


@pytest.mark.parametrize("model", [BLIND, BUILT_IN])
async def test_a_model_that_does_not_see_uses_no_desktop(model: str) -> None:
    for default, named in ((SEES, model), (model, None)):
        with pytest.raises(InvalidInput, match=f"{model} {CANNOT}") as refused:
            await choice(default).named(OPERATOR, ANN, None, named)
        assert list(refused.value.fields) == ["model"]


@pytest.mark.parametrize("model", [SEES, UNKNOWN])
async def test_a_model_that_sees_or_is_not_known_is_tried(model: str) -> None:
    found = await choice(BLIND).named(OPERATOR, ANN, None, model)
    assert found.deployment.id == model


@pytest.mark.parametrize(
    ("agent", "tools"),
    [(AGENTS.find("writer"), Toolbox((DESKTOPS,))), (OPERATOR, Toolbox())],
)
async def test_without_desktops_any_model_will_do(agent: Agent, tools: Toolbox) -> None:
    models = AgentModelChoice(gateway(BUILT_IN), tools)
    assert (await models.named(agent, ANN, None, BLIND)).deployment.id == BLIND
    assert (await models.own(agent, ANN)).deployment.id == BUILT_IN


async def test_of_a_route_it_is_the_first_that_may_see() -> None:
    for default in (BUILT_IN, SEES):
        models = choice(default, BLIND, SEES, UNKNOWN)
        assert await models.own(OPERATOR, ANN) == Choice(_deployment(SEES), "computer_use")
        named = await models.named(OPERATOR, ANN, None, "computer_use")
        assert named.deployment.id == SEES
    with pytest.raises(InvalidInput, match=CANNOT):
        await choice(SEES, BLIND).own(OPERATOR, ANN)


async def test_a_task_is_done_by_what_sees_of_the_route_that_answers() -> None:
    models = choice(BUILT_IN, BLIND, SEES)
    answering = Choice(_deployment(BLIND), "computer_use")
    found = await models.own(replace(OPERATOR, route=None), ANN, answering)
    assert found.deployment.id == SEES
    with pytest.raises(InvalidInput, match=CANNOT):
        await models.own(replace(OPERATOR, route=None), ANN, Choice(_deployment(BLIND)))


async def test_no_run_of_it_begins() -> None:
    fixture = RunsFixture(models=choice(BUILT_IN))
    messages = (Message(Role.USER, (Text("Do it."),)),)
    request = ModelRequest(owner_id="ann", model="cartrita-computer_use", messages=messages)
    command = ModelCommand(surface="openai", request=request, agent="computer_use")
    with pytest.raises(InvalidInput, match=CANNOT):
        await fixture.runs.start(ANN, ask("Do it.", agent="computer_use"))
    with pytest.raises(InvalidInput, match=CANNOT):
        await fixture.runs.require(ANN, "computer_use", None, None)
    with pytest.raises(InvalidInput, match=CANNOT):
        await fixture.model_runs.start(ANN, command)
    assert fixture.ports.admitted == []


async def test_a_task_that_another_agent_gives_to_it_fails() -> None:
    gives = ("delegate", {"agent": "computer_use", "task": "Open the editor."})
    fixture = LoopFixture(
        *(called(gives), said("It could not be done.")),
        tools=(DESKTOPS,),
        overrides={"supervisor": {"tools": ["calculator"]}},
    )
    claimed = claim(input=RunInput(agent="supervisor", provider="p", model="gpt-3.5-turbo"))
    assert completed(await fixture.ending(claimed)).text == "It could not be done."
    events = fixture.queue.events[claimed.run_id]
    (task,) = [each for each in events if isinstance(each, TaskCompleted)]
    assert task.success is False
    assert f"The agent failed: model: p/gpt-3.5-turbo {CANNOT} vision" in str(task.result)
    assert len(fixture.provider.requests) == 2, "those of the supervisor"


async def test_a_run_that_was_begun_while_there_were_no_desktops_ends_with_an_error() -> None:
    fixture = LoopFixture(said("It is done."), tools=(DESKTOPS,))
    claimed = claim(input=RunInput(agent="computer_use", provider="p", model="gpt-3.5-turbo"))
    end = stopped(await fixture.ending(claimed))
    assert end.code == "validation_error"
    assert CANNOT in end.message
    assert fixture.provider.requests == []


async def test_where_it_has_no_model_it_is_told_to_be_offline() -> None:
    tools, nothing = Toolbox((DESKTOPS,)), cast("AgentActivityReader", Idle())
    for default, status, model in (
        (BUILT_IN, AgentStatus.OFFLINE, None),
        (SEES, AgentStatus.IDLE, SEES),
    ):
        directory = AgentDirectory(AGENTS, tools, nothing, choice(default))
        found = await directory.get(ANN, "computer_use")
        assert (found.status, found.model) == (status, model)
        assert (await directory.get(ANN, "writer")).model == default


def _deployment(name: str) -> Deployment:
    return Deployment(*name.split("/"))

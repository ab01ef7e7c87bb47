"""What is told of a model by its name, before it is called."""

import pytest
from tests.backend.gateway.fakes import ListingProvider, create_gateway, overloaded

from cartrita.agents.registry import AgentRegistry
from cartrita.agents.roster import built_in_agents
from cartrita.application.agent_models import AgentModels
from cartrita.application.completions import Completions
from cartrita.domain.errors import NotFound, Unavailable
from cartrita.domain.token_estimates import RuleCounter


def completions(*providers: ListingProvider) -> Completions:
    agents = AgentModels(AgentRegistry(built_in_agents()))
    return Completions(create_gateway(*providers), agents, RuleCounter())


@pytest.mark.parametrize("name", ["m", "p/m", "p/unlisted", "p"])
async def test_names_that_address_a_model(name: str) -> None:
    away = ListingProvider("away", error=overloaded())
    found = await completions(ListingProvider("p", "m"), away).find(name)
    assert found.provider == "p"


async def test_a_name_that_only_one_may_have_who_does_not_tell_is_not_known() -> None:
    away = ListingProvider("away", error=overloaded())
    asked = completions(ListingProvider("p", "m"), away)
    with pytest.raises(Unavailable, match="nobody else has zzz; name it as away/model") as caught:
        await asked.find("zzz")
    assert caught.value.retry_after
    assert (await asked.find("away/zzz")).name == "zzz"


async def test_a_name_that_nobody_has() -> None:
    with pytest.raises(NotFound):
        await completions(ListingProvider("p", "m")).find("zzz")

"""Scopes of a key in the gateway: no way leads to a deployment that they do not allow."""

from typing import Any

import pytest
from msgspec.structs import replace
from tests.backend.gateway.fakes import (
    DONE,
    REQUEST,
    ListingProvider,
    NamedProvider,
    RelayingProvider,
    answer_to,
    call,
    create_gateway,
    cut,
    overloaded,
    relayed_call,
)

from cartrita.domain.deltas import TextDelta
from cartrita.domain.errors import Forbidden, InvalidInput, NotFound, UpstreamError
from cartrita.domain.requests import VendorFields
from cartrita.domain.scopes import Operation, Scopes
from cartrita.domain.tools import ToolSpec, VendorTool
from cartrita.gateway.gateway import Gateway
from cartrita.gateway.gateway_provider import Caller
from cartrita.gateway.routes import Deployment, Route, Target

ONE = Scopes(providers=("one",))
BOTH = Route(targets=(Target("one/m"), Target("two/m")))


def listing(**values: Any) -> Gateway:
    providers = (ListingProvider("one", "m", "n"), ListingProvider("two", "m", "own"))
    return create_gateway(*providers, routes={"both": BOTH}, **values)


@pytest.mark.parametrize("name", ["two/m", "own", "two/unknown"])
@pytest.mark.parametrize("make", [call, relayed_call])
async def test_a_name_does_not_lead_around_the_scopes(name: str, make: Any) -> None:
    with pytest.raises(Forbidden) as refusal:
        await answer_to(listing(), make(name, scopes=ONE))
    assert refusal.value.code == "scope_provider"
    for provider, model in ((None, name), ("two", "m"), ("two", None)):
        with pytest.raises(Forbidden):
            await listing().choose(provider, model, ONE)


async def test_the_default_is_checked_too() -> None:
    with pytest.raises(Forbidden):
        await listing().choose(None, None, Scopes(providers=("two", "three")))


async def test_a_key_of_one_provider_has_the_default_of_that() -> None:
    two = Scopes(providers=("two",))
    assert (await listing().choose(None, None, two)).deployment == Deployment("two", "m")
    configured = listing(default_model="two/own")
    assert (await configured.choose(None, None, two)).deployment == Deployment("two", "own")
    assert (await configured.choose(None, None, ONE)).deployment == Deployment("one", "m")
    some = Scopes(providers=("two",), models=("other",))
    with pytest.raises(Forbidden):
        await listing().choose(None, None, some)
    only_one = Route(targets=(Target("one/m"),), or_default=True)
    routed = create_gateway(
        ListingProvider("one", "m"), ListingProvider("two", "m"), routes={"r": only_one}
    )
    assert (await routed.choose(None, "r", two)).deployment == Deployment("two", "m")
    for scopes in (some, Scopes(providers=("two", "three"))):
        with pytest.raises(Forbidden):
            await routed.choose(None, "r", scopes)


async def test_of_a_route_only_what_is_allowed_is_called() -> None:
    answer, _ = await answer_to(listing(), call("both", scopes=Scopes(providers=("two",))))
    assert (answer.provider, answer.failovers) == ("two", ())
    with pytest.raises(Forbidden):
        await answer_to(listing(), call("both", scopes=Scopes(providers=("three",))))


async def test_a_failover_stays_within_the_scopes() -> None:
    one, two = NamedProvider("one", [overloaded()] * 9), NamedProvider("two", [DONE])
    gateway = create_gateway(one, two, routes={"both": BOTH})
    with pytest.raises(UpstreamError):
        await answer_to(gateway, call("both", scopes=ONE))
    assert two.requests == []
    one, two = NamedProvider("one", [overloaded()] * 9), NamedProvider("two", [DONE])
    gateway = create_gateway(one, two, routes={"both": BOTH})
    answer, _ = await answer_to(gateway, call("both"))
    assert answer.provider == "two"


async def test_a_continuation_stays_within_the_scopes() -> None:
    route = replace(BOTH, continue_with="any")
    one = NamedProvider("one", [TextDelta("Hel"), cut()], [DONE])
    two = NamedProvider("two", [DONE])
    gateway = create_gateway(one, two, routes={"both": route})
    answer, _ = await answer_to(gateway, call("both", scopes=ONE))
    assert answer.provider == "one"
    assert two.requests == []


async def test_runs_are_within_the_scopes() -> None:
    gateway = listing()
    caller = Caller(scopes=ONE)
    for route, deployment in ((None, Deployment("two", "m")), ("both", Deployment("two", "m"))):
        provider = gateway.provider_for(deployment, route=route, caller=caller)
        async with provider.stream(REQUEST) as deltas:
            if route is None:
                with pytest.raises(Forbidden):
                    [one async for one in deltas]
            else:
                assert [one async for one in deltas]


async def test_lists_show_what_may_be_called() -> None:
    gateway = listing()
    assert [model.id for model in await gateway.models(ONE)] == ["one/m", "one/n"]
    assert len(await gateway.models()) == 4
    assert "both" in await gateway.routes(ONE)
    assert await gateway.routes(Scopes(providers=("three",))) == ()


async def test_names_of_models_that_may_not_be_called_are_not_told() -> None:
    with pytest.raises(NotFound) as unlimited:
        await listing().choose(None, "owm")
    assert "own" in str(unlimited.value.details)
    with pytest.raises(NotFound) as limited:
        await listing().choose(None, "owm", ONE)
    assert "own" not in limited.value.message + str(limited.value.details)


async def test_a_kept_answer_of_another_deployment_is_not_given() -> None:
    one, two = NamedProvider("one", [DONE]), NamedProvider("two", [DONE])
    route = replace(BOTH, cache_ttl=60.0)
    gateway = create_gateway(one, two, routes={"both": route})
    kept, _ = await answer_to(gateway, call("both"))
    assert (kept.provider, kept.cache) == ("one", "miss")
    other, _ = await answer_to(gateway, call("both", scopes=Scopes(providers=("two",))))
    assert (other.provider, other.cache) == ("two", "miss")


async def test_operations() -> None:
    embeddings = Scopes(operations=("embeddings",))
    with pytest.raises(Forbidden) as refusal:
        await answer_to(listing(), call("one/m", scopes=embeddings))
    assert refusal.value.code == "scope_operation"
    with pytest.raises(Forbidden):
        await listing().choose(None, "one/m", embeddings)
    asked = call("one/m", scopes=embeddings, operation=Operation.EMBEDDINGS)
    answer, _ = await answer_to(listing(), asked)
    assert answer.provider == "one"


SEARCH = VendorTool("openai_responses", "web_search", {"type": "web_search"})
MCP = VendorFields("anthropic_messages", {"mcp_servers": [{"url": "https://x"}]})


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"tools": (SEARCH,)}, None),
        ({"tools": (SEARCH, VendorTool("o", "shell", {"type": "shell"}))}, "scope_tool"),
        ({"tools": (ToolSpec("mine", "", {}), VendorTool("o", "x", {"type": "custom"}))}, None),
        ({"tools": (VendorTool("a", "mine", {"name": "mine"}),)}, None),
        ({"vendor": MCP}, "scope_tool"),
        ({"vendor": VendorFields("o", {"web_search_options": {"x": 1}})}, None),
        ({"vendor": VendorFields("o", {"logit_bias": {}})}, None),
    ],
)
@pytest.mark.parametrize("make", [call, relayed_call])
async def test_tools_that_the_provider_runs(changes: Any, code: str | None, make: Any) -> None:
    gateway = create_gateway(RelayingProvider("one", [b"x\n", b".\n"], scripts=[[DONE]]))
    asked = make("one/m", replace(REQUEST, **changes), scopes=Scopes(tools=("web_*",)))
    if code is None:
        await answer_to(gateway, asked)
        return
    with pytest.raises(Forbidden) as refusal:
        await answer_to(gateway, asked)
    assert refusal.value.code == code


async def test_a_request_that_cannot_be_read_is_refused_to_a_key_with_some_tools() -> None:
    def unreadable() -> None:
        raise InvalidInput.of("messages", "strange")

    asked = relayed_call("one/m", parse=unreadable, scopes=Scopes(tools=("web_*",)))
    with pytest.raises(Forbidden, match="cannot be read"):
        await answer_to(listing(), asked)

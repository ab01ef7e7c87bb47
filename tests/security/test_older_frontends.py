"""Older frontends reach what is their caller's own, and nothing else, by whatever path."""

import json
import random

import pytest
from tests.harness.fake_provider.launch import FakeProvider
from tests.harness.scenario import Scenario
from tests.harness.server import Server
from tests.security.cells import Asked, Route, Told, all_routes, ask, cells, may_ask, plain, same
from tests.security.owners import Owners, new_owners, new_things
from tests.security.rules import OLDER_FRONTENDS_RULES, Kind

_SAMPLE = 80
_ROUTES = {
    "get_account": ("GET", "/api/auth/me"),
    "get_settings": ("GET", "/api/settings"),
    "change_settings": ("PUT", "/api/settings"),
}


@pytest.fixture(scope="module")
async def owners(older_server: Server, provider: FakeProvider) -> Owners:
    """Owners with things of their own, on a server that serves older frontends."""
    return await new_owners(Scenario(older_server, provider))


def _ends_things(route: Route) -> bool:
    """Whether what it names is not there any more afterwards."""
    return route.method == "DELETE" or route.name.startswith(("revoke_", "change_"))


def asked_for(name: str) -> Asked:
    """A route that only older frontends have, as its rule asks it."""
    method, path = _ROUTES[name]
    return Asked(method, path, body=OLDER_FRONTENDS_RULES[name].body)


async def test_a_sample_of_the_matrix(older: Scenario, owners: Owners) -> None:
    seed = 6
    for cell in random.Random(seed).sample(list(cells(owners)), _SAMPLE):
        foreign = await ask(older, cell.asking, cell.foreign)
        absent = await ask(older, cell.asking, cell.absent)
        assert foreign.status == cell.status, (seed, cell.foreign, foreign)
        assert owners.word.encode() not in foreign.body, (seed, cell.foreign, foreign)
        assert same(cell, foreign, absent), (seed, cell.foreign, foreign, absent)


@pytest.mark.parametrize(
    "path",
    ["/conversations/ID", "/api/api/conversations/ID", "/conversations/ID/messages?offset=1"],
)
async def test_other_paths_to_the_same(older: Scenario, owners: Owners, path: str) -> None:
    target = path.replace("ID", owners.things[Kind.CONVERSATION][0])
    own = await ask(older, owners.a, Asked("GET", target))
    assert own.status == 200
    assert (owners.word.encode() in own.body) == ("offset" not in path)  # it is in the question
    for asking in owners.others:
        told = await ask(older, asking, Asked("GET", target))
        assert told.status == (404 if asking.known else 401), (asking.name, told)
        assert owners.word.encode() not in told.body


@pytest.mark.parametrize("name", OLDER_FRONTENDS_RULES)
async def test_without_a_credential(older: Scenario, owners: Owners, name: str) -> None:
    for asking in owners.unknown:
        told = await ask(older, asking, asked_for(name))
        assert (told.status, json.loads(told.body)["success"]) == (401, False), asking.name


async def test_settings_are_their_owners(older: Scenario, owners: Owners) -> None:
    async def settings(told: Told) -> dict[str, object]:
        assert told.status == 200, told
        return json.loads(told.body)["data"]

    word = {"bio": owners.word}
    stored = await ask(older, owners.a, Asked("PUT", "/api/settings", body=word))
    assert word.items() <= (await settings(stored)).items()
    me = json.loads((await ask(older, owners.a, Asked("GET", "/api/me"))).body)
    account = await settings(await ask(older, owners.a, asked_for("get_account")))
    assert account["id"] == me["owner_id"]
    for asking in owners.strangers:
        for name in OLDER_FRONTENDS_RULES:
            told = await ask(older, asking, asked_for(name))
            assert told.status == 200, (asking.name, told)
            assert owners.word.encode() not in told.body, (asking.name, name)
    kept = await settings(await ask(older, owners.a, asked_for("get_settings")))
    assert word.items() <= kept.items()


async def test_every_route_answers_its_owner_in_the_old_form(
    older: Scenario, owners: Owners
) -> None:
    """Whatever the native API tells is translated: nothing of it breaks the translation.

    Readiness is told as it is: on a busy machine a server may not be ready for a moment.
    """
    [operator] = [each for each in owners.others if each.name == "operator"]
    things = await new_things(older, owners.a.headers, owners.word)
    for route in sorted(all_routes(), key=lambda each: (_ends_things(each), each.method)):
        asking = next(each for each in (owners.a, owners.manager, operator) if may_ask(route, each))
        told = await ask(older, asking, plain(route, things))
        may_fail = 503 if route.name == "get_ready" else 502
        assert told.status < 500 or told.status == may_fail, (route, told)
        is_json = told.headers.get("content-type") == "application/json"
        kept = "content-disposition" in told.headers
        if route.path.startswith("/api/") and is_json and not kept:
            assert json.loads(told.body)["success"] is (told.status < 400), (route, told)

"""The same key meets the same policy in every header, and what only resembles a key is none."""

import asyncio
import json

import pytest
from tests.harness.scenario import Scenario
from tests.harness.server import KEY
from tests.journeys.accounts import new_key, new_tenant, new_user
from tests.security.routes import ask, protected_routes

FORMS = [
    {"X-API-Key": "{key}"},
    {"x-api-key": "{key}"},
    {"Authorization": "Bearer {key}"},
    {"authorization": "bearer {key}"},
    {"X-API-Key": "{key}", "Authorization": "Bearer {key}"},
]
NO_KEYS = ["", " ", "null", "undefined", "[]", "{}", '""', "Bearer", "%00", "*", "true", "0", "é"]


def formed(form: dict[str, str], key: str) -> dict[str, str]:
    return {name: value.format(key=key) for name, value in form.items()}


async def statuses(port: int, headers: dict[str, str]) -> dict[tuple[str, str], int]:
    """What each protected route answers to this caller."""

    async def one(method: str, path: str) -> int:
        body = {} if method in ("POST", "PUT", "PATCH") else None
        return (await ask(port, method, path, headers, body))[0]

    found: dict[tuple[str, str], int] = {}
    routes = protected_routes()
    for first in range(0, len(routes), 20):
        some = routes[first : first + 20]
        answered = await asyncio.gather(*(one(*route) for route in some))
        found |= dict(zip(some, answered, strict=True))
    return found


async def test_every_form_of_a_key_meets_the_same_policy(scenario: Scenario) -> None:
    port = scenario.server.port
    owner = await new_user(scenario, await new_tenant(scenario))
    scopes = {"operations": ["conversations"], "providers": []}
    full = (await new_key(scenario, owner))["secret"]
    narrow = (await new_key(scenario, owner, scopes=scopes))["secret"]
    for key, denied in ((full, 401), (narrow, 401), (f"{full[:-1]}x", 200)):
        first, *others = [await statuses(port, formed(form, key)) for form in FORMS]
        assert denied not in first.values()
        for form, other in zip(FORMS[1:], others, strict=True):
            differing = {route for route in first if first[route] != other[route]}
            assert not differing, (form, differing)


async def test_two_different_keys_are_none(scenario: Scenario) -> None:
    owner = await new_user(scenario, await new_tenant(scenario))
    other = (await new_key(scenario, owner))["secret"]
    for first, second in ((KEY, other), (other, KEY), (KEY, "guess")):
        headers = {"X-API-Key": first, "Authorization": f"Bearer {second}"}
        assert set((await statuses(scenario.server.port, headers)).values()) == {400}


@pytest.mark.parametrize("text", NO_KEYS)
async def test_what_is_no_key(scenario: Scenario, text: str) -> None:
    for form in FORMS[:3]:
        found = await statuses(scenario.server.port, formed(form, text))
        assert set(found.values()) == {401}


async def test_keys_that_begin_or_end_alike_are_not_one(scenario: Scenario) -> None:
    """A cache of identities by a part of the key would take one for another (CVE-2026-35030)."""
    port = scenario.server.port
    owner = await new_user(scenario, await new_tenant(scenario))
    key = (await new_key(scenario, owner))["secret"]
    assert (await ask(port, "GET", "/api/me", {"X-API-Key": key}))[0] == 200
    alike = {key[:n] + _turned(key[n:]) for n in range(len(key))}
    alike |= {_turned(key[:n]) + key[n:] for n in range(1, len(key))}
    alike |= {key[:n] for n in range(len(key))} | {key + key[-1:], key + "0", f"{key} {key}"}
    answers = {await _told(port, text) for text in sorted(alike - {key, ""})}
    assert len(answers) == 1  # all failures look alike
    assert (await ask(port, "GET", "/api/me", {"X-API-Key": f"  {key} "}))[0] == 200


async def test_the_keys_of_two_users_in_turn(scenario: Scenario) -> None:
    port = scenario.server.port
    tenant = await new_tenant(scenario)
    owners = [await new_user(scenario, tenant) for _ in range(2)]
    keys = [(await new_key(scenario, owner))["secret"] for owner in owners]

    async def me(turn: int) -> str:
        _, _, body = await ask(port, "GET", "/api/me", {"X-API-Key": keys[turn % 2]})
        return json.loads(body)["owner_id"]

    found = await asyncio.gather(*(me(turn) for turn in range(60)))
    assert found == [owners[turn % 2] for turn in range(60)]


async def _told(port: int, key: str) -> tuple[int, str]:
    status, headers, body = await ask(port, "GET", "/api/me", {"X-API-Key": key})
    return status, body.decode().replace(headers["x-request-id"], "")


def _turned(text: str) -> str:
    """The same length, another character in each place."""
    return "".join("b" if one == "a" else "a" for one in text)

"""What belongs to A is not there for anybody else, whoever asks for it by whatever field."""

import asyncio
import random
from collections.abc import Sequence
from uuid import uuid4

import pytest
from tests.harness.scenario import Scenario
from tests.security.cells import Asked, Cell, all_routes, ask, cells, may_ask, plain, same
from tests.security.owners import Owners, new_things
from tests.security.rules import PATH_KINDS, Access, Kind

_AT_ONCE = 16
_SAMPLE = 150


async def wrong_cells(scenario: Scenario, owners: Owners, asked: Sequence[Cell]) -> list[str]:
    """The cells whose answers are not what they must be, as sentences."""
    wrong: list[str] = []
    left = list(asked)

    async def work() -> None:
        while left:
            cell = left.pop()
            foreign = await ask(scenario, cell.asking, cell.foreign)
            absent = await ask(scenario, cell.asking, cell.absent)
            shown = owners.word.encode() in foreign.body
            if foreign.status != cell.status or shown or not same(cell, foreign, absent):
                wrong.append(f"{cell.asking.name}: {cell.foreign}\n  {foreign}\n  {absent}")

    async with asyncio.TaskGroup() as group:
        for _ in range(_AT_ONCE):
            group.create_task(work())
    return wrong


async def state_of(scenario: Scenario, owners: Owners) -> list[object]:
    """All that A has, as A sees it."""
    paths = ["/api/conversations?archived=any&limit=100", "/api/me"]
    paths += ["/api/keys?limit=100", "/api/credentials?limit=100"]
    for conversation in owners.things[Kind.CONVERSATION]:
        paths += [
            f"/api/conversations/{conversation}",
            f"/api/conversations/{conversation}/messages",
            f"/v1/conversations/{conversation}/items",
        ]
    paths += [f"/api/runs/{run}" for run in owners.things[Kind.RUN]]
    paths += [f"/v1/responses/{each}" for each in owners.things[Kind.RESPONSE]]
    return [(await ask(scenario, owners.a, Asked("GET", path))).body for path in paths]


async def test_a_sample_of_the_matrix(scenario: Scenario, owners: Owners) -> None:
    before = await state_of(scenario, owners)
    every = list(cells(owners))
    picked = random.Random(4).sample(every, _SAMPLE)
    wrong = await wrong_cells(scenario, owners, picked)
    assert not wrong, f"{len(wrong)} of {len(picked)}:\n" + "\n".join(wrong[:20])
    assert await state_of(scenario, owners) == before


@pytest.mark.slow
async def test_the_whole_matrix(scenario: Scenario, owners: Owners) -> None:
    before = await state_of(scenario, owners)
    every = list(cells(owners))
    assert len(every) > 2_000
    wrong = await wrong_cells(scenario, owners, every)
    assert not wrong, f"{len(wrong)} of {len(every)}:\n" + "\n".join(wrong[:20])
    assert await state_of(scenario, owners) == before


async def test_the_owner_reaches_what_others_do_not(scenario: Scenario, owners: Owners) -> None:
    """Or the matrix would prove nothing: each route that names things answers their owner."""
    for route in all_routes():
        if route.parameters:
            things = owners.things
            if route.method != "GET":
                kinds = {PATH_KINDS[name] for name in route.parameters}
                things = await new_things(scenario, owners.a.headers, owners.word, kinds)
            [operator] = [each for each in owners.others if each.name == "operator"]
            asking = next(
                each for each in (owners.a, owners.manager, operator) if may_ask(route, each)
            )
            told = await ask(scenario, asking, plain(route, things))
            assert told.status in (200, 201, 204, 409), (route, told)


async def test_without_a_credential_nothing_is_answered(scenario: Scenario, owners: Owners) -> None:
    """Each route tells all whom it does not know the same, but that no key was sent."""
    for route in all_routes():
        asked = plain(route, owners.things)
        for asking in owners.unknown:
            told = await ask(scenario, asking, asked)
            if route.rule.access is Access.EVERYBODY:
                assert told.status == 200, (route, asking.name, told)
            else:
                assert told.status == 401, (route, asking.name, told)
                assert owners.word.encode() not in told.body


async def test_what_names_nothing_shows_nothing_of_others(
    scenario: Scenario, owners: Owners
) -> None:
    for route in all_routes():
        if route.rule.access is Access.CALLERS and not route.parameters:
            for asking in owners.strangers:
                if route.name != "close_session":
                    told = await ask(scenario, asking, plain(route, asking.things, owners.word))
                    off = route.rule.off
                    is_off = bool(off) and f'"{off}"'.encode() in told.body
                    assert told.status < 300 or is_off, (route, asking.name, told)
                    shown = told.body.replace(f'"query":"{owners.word}"'.encode(), b"")
                    assert owners.word.encode() not in shown, (route, asking.name, told)


async def test_what_admins_are_answered(scenario: Scenario, owners: Owners) -> None:
    """Members nothing; admins what is of their tenants; operators all that is managed."""
    for route in all_routes():
        access = route.rule.access
        if access in (Access.ADMINS, Access.OPERATORS) and route.method == "GET":
            for asking in owners.strangers:
                things = asking.things if not asking.a_managed else owners.things
                told = await ask(scenario, asking, plain(route, things))
                expected = 200 if may_ask(route, asking) else 403
                assert told.status == expected, (route, asking.name, told)
                if not asking.a_managed:
                    assert owners.word.encode() not in told.body, (route, asking.name, told)


async def test_only_operators_make_tenants(scenario: Scenario, owners: Owners) -> None:
    for asking in owners.strangers:
        operator = asking.name == "operator"
        body = {"id": f"tenant-{uuid4().hex}"}
        told = await ask(scenario, asking, Asked("POST", "/api/admin/tenants", body=body))
        assert told.status == (201 if operator else 403), (asking.name, told)

"""Every verb at every path, by every role: what is for admins is refused to all others first."""

import asyncio
from collections.abc import Sequence

from tests.harness.scenario import Scenario
from tests.security.cells import Asked, Route, Told, all_routes, ask, may_ask, plain
from tests.security.owners import Asking, Owners, Things, unknown_id
from tests.security.rules import Access

_AT_ONCE = 16
VERBS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "get")


async def answers(
    scenario: Scenario, asked: Sequence[tuple[Asking, Asked]]
) -> list[tuple[Asking, Asked, Told]]:
    """What each is told, several at once."""
    left = list(asked)
    told: list[tuple[Asking, Asked, Told]] = []

    async def work() -> None:
        while left:
            asking, one = left.pop()
            told.append((asking, one, await ask(scenario, asking, one)))

    async with asyncio.TaskGroup() as group:
        for _ in range(_AT_ONCE):
            group.create_task(work())
    return told


def missing(things: Things) -> Things:
    """Ids like those, of nothing."""
    return {kind: [unknown_id(ids[0])] for kind, ids in things.items()}


async def test_each_route_by_each_role(scenario: Scenario, owners: Owners) -> None:
    """With ids of nothing, so that nothing else than the role makes a difference."""
    things = missing(owners.things)
    routes = [
        route
        for route in all_routes()
        if route.parameters or route.rule.access in (Access.ADMINS, Access.OPERATORS)
    ]
    refused = {True: 403, False: 401}
    for route in routes:
        asked = [(asking, plain(route, things)) for asking in owners.others]
        for asking, one, told in await answers(scenario, asked):
            if may_ask(route, asking):
                assert told.status not in (401, 403), (asking.name, one, told)
            else:
                assert told.status == refused[asking.known], (asking.name, one, told)


async def test_no_other_verb_opens_a_path(scenario: Scenario, owners: Owners) -> None:
    """Nor does it show anybody that something is there."""
    kept = {(route.method, route.path) for route in all_routes()}
    paths = {route.path: route for route in all_routes()}
    roles = [each for each in owners.others if each.name in ("anonymous", "operator")]
    asked = [
        (asking, Asked(verb, plain(Route(verb, path, route.name), owners.things).target))
        for path, route in paths.items()
        for verb in VERBS
        if (verb, path) not in kept
        for asking in roles
    ]
    assert len(asked) > 500
    for asking, one, told in await answers(scenario, asked):
        assert told.status in (400, 401, 405), (asking.name, one, told)
        assert owners.word.encode() not in told.body

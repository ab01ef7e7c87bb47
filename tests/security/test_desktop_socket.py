"""Who is told nothing of a desktop over its socket, whether it has ended or runs."""

import json

import pytest
from tests.harness.scenario import Scenario
from tests.harness.server import KEY
from tests.journeys.accounts import new_key, new_tenant, new_user
from tests.security.cells import masked, twins
from tests.security.handshakes import credentials_of, handshake, own_host
from tests.security.owners import Asking, Owners, cookie_of
from tests.security.rules import Kind
from tests.security.test_socket_origins import ORIGINS, ticket

from cartrita.domain.scopes import Operation

SOCKETS = "/ws/desktop/"


async def look(scenario: Scenario, asking: Asking, desktop: str) -> tuple[int, bytes]:
    """What a page of ours is told that would show somebody this desktop."""
    port = scenario.server.port
    lines = [f"Host: {own_host(port)}", f"Origin: http://{own_host(port)}"]
    status, told = await handshake(port, lines, credentials_of(asking), f"{SOCKETS}{desktop}")
    return status, told.rpartition(b"\r\n\r\n")[2]


async def test_desktops_of_others_are_not_there(scenario: Scenario, owners: Owners) -> None:
    asked = 0
    for asking in owners.strangers:
        for text in owners.things[Kind.DESKTOP]:
            for theirs, nobodys in twins(text)[: asking.ways]:
                asked += 1
                status, foreign = await look(scenario, asking, theirs)
                absent = await look(scenario, asking, nobodys)
                assert (status, json.loads(foreign)["code"]) == (404, "desktop_not_found")
                assert (status, masked(foreign, theirs)) == (absent[0], masked(absent[1], nobodys))
    assert asked > 40


async def test_nobody_unknown_is_told_of_any(scenario: Scenario, owners: Owners) -> None:
    for asking in owners.unknown:
        told = set[tuple[int, bytes]]()
        for text in owners.things[Kind.DESKTOP]:
            for named in twins(text)[0]:
                status, body = await look(scenario, asking, named)
                told.add((status, masked(body, named)))
        [(status, body)] = told
        assert (status, json.loads(body)["code"]) == (401, "unauthenticated")


async def test_the_owner_is_told_that_they_have_ended(scenario: Scenario, owners: Owners) -> None:
    """Or the others' answers would prove nothing."""
    for text in owners.things[Kind.DESKTOP]:
        status, told = await look(scenario, owners.a, text)
        assert (status, json.loads(told)["code"]) == (409, "desktop_gone")


async def test_a_key_that_may_do_all_else_sees_none(scenario: Scenario, owners: Owners) -> None:
    """By a header or a ticket, and whether there is such a desktop or not."""
    owner = await new_user(scenario, await new_tenant(scenario))
    others = [each.value for each in Operation if each is not Operation.DESKTOP]
    limited = (await new_key(scenario, owner, scopes={"operations": others}))["key"]
    asking = Asking("by a header", {"X-API-Key": limited})
    for name in twins(owners.things[Kind.DESKTOP][0])[0]:
        by_ticket = f"{name}?ticket={await ticket(scenario, asking)}"
        for way in ((asking, name), (Asking("by a ticket", {}), by_ticket)):
            status, told = await look(scenario, *way)
            assert (status, json.loads(told)["code"]) == (403, "scope_operation")


@pytest.mark.slow
async def test_one_that_runs_is_shown_to_pages_of_ours_alone(desk: Scenario) -> None:
    status, made = await desk.call("POST", "/api/desktops", {})
    assert status == 201, made
    port, target = desk.server.port, made["live_url"]
    host = own_host(port)
    by_cookie = credentials_of(Asking("signed in", await cookie_of(desk, {"X-API-Key": KEY})))
    secret = await ticket(desk, Asking("by a key", {"X-API-Key": KEY}))
    for headers, path in ((by_cookie, target), ({}, f"{target}?ticket={secret}")):
        for origin in ORIGINS:
            lines = [f"Host: {host}", f"Origin: {origin.format(host=host)}"]
            status, body = await handshake(port, lines, headers, path)
            assert (status, b"forbidden_origin" in body) == (403, True), (origin, path)
        lines = [f"Host: {host}", f"Origin: http://{host}"]
        assert (await handshake(port, lines, headers, path))[0] == 101

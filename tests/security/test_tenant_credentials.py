"""The credential of a tenant is seen by its users, changed by its admins, hidden from others."""

from collections.abc import Iterator

from tests.harness.scenario import Scenario
from tests.security.cells import Asked, ask
from tests.security.owners import Asking, Owners, new_credential, unknown_id
from tests.security.rules import RULES

REACHING = {"admin of A's tenant": (200, 201, 200), "B": (200, 403, 403)}


def asked_for(credential: str) -> Iterator[Asked]:
    path = f"/api/credentials/{credential}"
    yield Asked("GET", path)
    yield Asked("POST", f"{path}/rotate", body=RULES["rotate_credential"].body)
    yield Asked("DELETE", path)


def expected(asking: Asking) -> tuple[int, ...]:
    """The statuses of seeing, rotating and revoking it."""
    if not asking.known:
        return (401, 401, 401)
    return REACHING.get(asking.name.partition(" by ")[0].partition(", ")[0], (404, 404, 404))


async def test_who_reaches_the_credential_of_a_tenant(scenario: Scenario, owners: Owners) -> None:
    for asking in owners.others:
        shared = (await new_credential(scenario, owners.manager.headers, shared=True))["id"]
        told = [await ask(scenario, asking, asked) for asked in asked_for(shared)]
        assert tuple(each.status for each in told) == expected(asking), (asking.name, told)
        absent = unknown_id(shared)
        for found, asked in zip(told, asked_for(absent), strict=True):
            if found.status == 404:
                nothing = await ask(scenario, asking, asked)
                assert (nothing.status, nothing.headers) == (404, found.headers)


async def test_who_shares_a_credential(scenario: Scenario, owners: Owners) -> None:
    """Admins only; and what they share is listed for their own tenant only."""
    shared = await new_credential(scenario, owners.manager.headers, shared=True)
    body = {**(RULES["exchange_credential"].body or {}), "shared": True}
    for asking in owners.others:
        told = await ask(scenario, asking, Asked("POST", "/api/credentials", body=body))
        status = 401 if not asking.known else 201 if asking.admin else 403
        assert told.status == status, (asking.name, told)
        listed = await ask(scenario, asking, Asked("GET", "/api/credentials?limit=100"))
        seen = shared["id"].encode() in listed.body
        assert seen == (expected(asking)[0] == 200), (asking.name, listed)

"""Users and keys of a running server, made by its operator."""

from itertools import count
from typing import Any

from tests.harness.scenario import Scenario

_numbers = count(1)


async def made(
    scenario: Scenario, method: str, path: str, body: dict[str, Any] | None = None, **headers: str
) -> dict[str, Any]:
    """The answer to a request that succeeds."""
    status, answered = await scenario.call(method, path, body, **headers)
    assert status in (200, 201), (method, path, status, answered)
    return answered


async def new_tenant(scenario: Scenario) -> str:
    """The id of a new tenant."""
    identity = f"tenant-{scenario.server.port}-{next(_numbers)}"
    await made(scenario, "POST", "/api/admin/tenants", {"id": identity})
    return identity


async def new_user(scenario: Scenario, tenant: str, role: str = "member") -> str:
    """The id of a new user of a tenant."""
    identity = f"user-{scenario.server.port}-{next(_numbers)}"
    body = {"id": identity, "tenant_id": tenant, "role": role}
    await made(scenario, "POST", "/api/admin/users", body)
    return identity


async def new_key(scenario: Scenario, owner: str, **fields: Any) -> dict[str, Any]:
    """A new key of a user, as its `id` and the `key` itself."""
    body = {"owner_id": owner, "name": "a key", **fields}
    return await made(scenario, "POST", "/api/admin/keys", body)

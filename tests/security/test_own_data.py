"""Lists, searches, names, cursors and keys for retries are of one owner's own data only."""

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from tests.harness import clients
from tests.harness.scenario import Scenario, eventually
from tests.security.owners import Asking, Owners
from tests.security.rules import Kind


async def call(
    scenario: Scenario,
    asking: Asking,
    method: str,
    path: str,
    body: dict[str, Any] | None = None,
    extra: Mapping[str, str] | None = None,
) -> tuple[int, dict[str, Any]]:
    headers = {**asking.headers, **(extra or {})}
    return await clients.call(scenario.server.port, method, path, headers, body)


async def test_lists_and_searches(scenario: Scenario, owners: Owners) -> None:
    conversation = owners.things[Kind.CONVERSATION][0]
    for asking in owners.strangers:
        for path in (
            f"/api/search?q={owners.word}",
            f"/api/search?q={conversation}",
            f"/api/search?q={owners.word}&types=messages&sort_by=date",
        ):
            status, told = await call(scenario, asking, "GET", path)
            assert (status, told["results"], told["total"]) == (200, [], 0)
        status, told = await call(scenario, asking, "GET", "/api/conversations?archived=any")
        listed = {each["id"] for each in told["items"]}
        assert listed
        assert not listed & set(owners.things[Kind.CONVERSATION])
    status, told = await call(scenario, owners.a, "GET", f"/api/search?q={owners.word}")
    assert (status, told["total"] > 0) == (200, True)


async def test_cursors(scenario: Scenario, owners: Owners) -> None:
    """A's position in A's list leads others to their own lists only."""
    status, first = await call(scenario, owners.a, "GET", "/api/conversations?limit=1")
    assert status == 200
    cursor = first["next_cursor"]
    for asking in owners.strangers:
        path = f"/api/conversations?limit=100&cursor={cursor}"
        status, told = await call(scenario, asking, "GET", path)
        assert status in (200, 400)
        assert owners.word not in str(told)


async def test_names_of_conversations(scenario: Scenario, owners: Owners) -> None:
    """The same name is another conversation for everybody."""
    name = f"name-{uuid4().hex}"
    found: set[str] = set()
    b, c = (each for each in owners.strangers if each.name in ("B", "C"))
    for asking in (owners.a, b):
        body = {"external_id": name, "title": asking.name}
        status, told = await call(scenario, asking, "POST", "/api/conversations", body)
        assert status == 201
        status, told = await call(scenario, asking, "GET", f"/api/conversations/{name}")
        assert (status, told["title"]) == (200, asking.name)
        found.add(str(told["created_at"]))
    assert len(found) == 2
    status, told = await call(scenario, c, "GET", f"/api/conversations/{name}")
    assert status == 404


async def test_keys_for_retries(scenario: Scenario, owners: Owners) -> None:
    """The same Idempotency-Key and client_msg_id mean nothing to other owners."""
    key = uuid4().hex
    body = {"message": "hello", "provider": "openai", "model": "fake", "client_msg_id": key}
    runs: list[str] = []
    for asking in (owners.a, owners.strangers[0], owners.strangers[-1], owners.a):
        extra = {"Idempotency-Key": key}
        status, told = await call(scenario, asking, "POST", "/api/chat", body, extra)
        assert status == 200, told
        runs.append(told["run_id"])
    assert runs[3] == runs[0]
    assert len(set(runs)) == 3


async def test_usage(scenario: Scenario, owners: Owners) -> None:
    """What is asked counts in the usage of who asked, and in nobody else's."""
    asked = {"message": "hello", "provider": "openai", "model": "fake-words"}
    status, _ = await call(scenario, owners.a, "POST", "/api/chat", asked)
    assert status == 200

    async def models(asking: Asking) -> set[str]:
        _, told = await call(scenario, asking, "GET", "/api/usage?group_by=model")
        return {item["name"] for item in told["items"]}

    async def counted() -> bool:
        return "openai/fake-words" in await models(owners.a)

    await eventually(counted)  # usage is written in batches
    for stranger in owners.strangers:
        assert "openai/fake-words" not in await models(stranger)

"""The routes of keys, users and tenants, by everyone who may knock at them."""

import re
from typing import Any

import pytest
from tests.harness.scenario import Scenario
from tests.journeys.accounts import made, new_key, new_tenant, new_user

CALLERS = ("anonymous", "ann", "bob", "cid", "admin", "operator", "revoked", "limited")


class World:
    """Two tenants: ann, bob and an admin are of one, cid of the other; and keys of each."""

    def __init__(self, scenario: Scenario) -> None:
        self._scenario = scenario
        self.secrets: dict[str, str] = {"anonymous": ""}
        self.keys: dict[str, str] = {}

    async def build(self) -> None:
        scenario = self._scenario
        self.tenant, self.other = await new_tenant(scenario), await new_tenant(scenario)
        self.users = {
            "ann": await new_user(scenario, self.tenant),
            "bob": await new_user(scenario, self.tenant),
            "cid": await new_user(scenario, self.other),
            "admin": await new_user(scenario, self.tenant, "admin"),
            "operator": await new_user(scenario, "local", "admin"),
        }
        for name, user in self.users.items():
            key = await new_key(scenario, user)
            self.secrets[name], self.keys[name] = key["key"], key["id"]
        lost = await new_key(scenario, self.users["ann"])
        await made(scenario, "POST", f"/api/admin/keys/{lost['id']}/revoke")
        self.secrets["revoked"] = lost["key"]
        scopes = {"operations": ["chat", "conversations", "keys"]}
        limited = await new_key(scenario, self.users["admin"], scopes=scopes)
        self.secrets["limited"] = limited["key"]

    async def ask(
        self, caller: str, method: str, path: str, body: dict[str, Any] | None = None
    ) -> tuple[int, dict[str, Any]]:
        secret = self.secrets[caller]
        return await self._scenario.call(method, path, body, X_API_Key=secret)


@pytest.fixture
async def world(scenario: Scenario) -> World:
    built = World(scenario)
    await built.build()
    return built


def expected(allowed: str, *, refused: int) -> dict[str, int]:
    """The statuses of all callers, where these are allowed."""
    inside = set(allowed.split())
    statuses = {name: 200 if name in inside else refused for name in CALLERS}
    return {**statuses, "anonymous": 401, "revoked": 401}


async def test_who_reaches_what(world: World) -> None:
    users, keys = world.users, world.keys
    everyone = "ann bob cid admin operator limited"
    rules: list[tuple[str, str, dict[str, Any] | None, dict[str, int]]] = [
        ("GET", "/api/me", None, expected(everyone, refused=0)),
        ("GET", "/api/keys", None, expected(everyone, refused=0)),
        *(
            (method, f"/api/keys/{keys['ann']}", body, expected("ann admin operator", refused=404))
            for method, body in (("GET", None), ("PATCH", {"name": "mine now"}))
        ),
        ("GET", f"/api/keys/{keys['cid']}", None, expected("cid operator", refused=404)),
        ("GET", f"/api/keys/{keys['operator']}", None, expected("operator", refused=404)),
    ]
    for path, allowed in (
        ("/api/admin/tenants", "admin operator"),
        (f"/api/admin/tenants/{world.tenant}", "admin operator"),
        (f"/api/admin/tenants/{world.other}", "operator"),
        ("/api/admin/users", "admin operator"),
        (f"/api/admin/users/{users['ann']}", "admin operator"),
        (f"/api/admin/users/{users['cid']}", "operator"),
        ("/api/admin/users/local", "operator"),
        ("/api/admin/keys", "admin operator"),
        (f"/api/admin/keys?tenant_id={world.tenant}", "admin operator"),
        (f"/api/admin/keys?tenant_id={world.other}", "operator"),
        (f"/api/admin/keys/{keys['ann']}", "admin operator"),
        (f"/api/admin/keys/{keys['cid']}", "operator"),
        (f"/api/admin/keys/{keys['operator']}", "operator"),
        ("/api/admin/audit", "admin operator"),
    ):
        statuses = expected(allowed, refused=403)
        if "admin" not in allowed:
            statuses["admin"] = 404
        rules.append(("GET", path, None, statuses))
    for method, path, body, statuses in rules:
        for caller in CALLERS:
            status, told = await world.ask(caller, method, path, body)
            assert status == statuses[caller], (caller, method, path, status, told)


async def test_nobody_changes_what_is_administered_by_others(world: World) -> None:
    for caller in ("ann", "cid", "limited"):
        for method, path, body in (
            ("POST", "/api/admin/tenants", {"id": "x"}),
            ("PATCH", f"/api/admin/tenants/{world.tenant}", {"disabled": True}),
            ("POST", "/api/admin/users", {"id": "x", "tenant_id": world.tenant}),
            ("PATCH", f"/api/admin/users/{world.users['ann']}", {"role": "admin"}),
            ("POST", "/api/admin/keys", {"owner_id": world.users["admin"], "name": "x"}),
            ("PATCH", f"/api/admin/keys/{world.keys['admin']}", {"scopes": {}}),
            ("POST", f"/api/admin/keys/{world.keys['admin']}/rotate", {}),
            ("POST", f"/api/admin/keys/{world.keys['admin']}/revoke", None),
        ):
            status, told = await world.ask(caller, method, path, body)
            assert (status, told["code"]) == (403, "admin_required"), (caller, method, path)
    for path, body, status in (
        ("/api/admin/tenants", {"id": "x"}, 403),
        ("/api/admin/users", {"id": "x", "tenant_id": world.other}, 404),
        ("/api/admin/users", {"id": "x", "tenant_id": "local", "role": "admin"}, 404),
        ("/api/admin/keys", {"owner_id": world.users["cid"], "name": "x"}, 404),
        ("/api/admin/keys", {"owner_id": "local", "name": "x"}, 404),
        (f"/api/admin/keys/{world.keys['cid']}/rotate", {}, 404),
        (f"/api/admin/keys/{world.keys['cid']}/revoke", None, 404),
        (f"/api/admin/keys/{world.keys['operator']}/rotate", {}, 404),
    ):
        assert (await world.ask("admin", "POST", path, body))[0] == status, path
    for name in ("cid", "operator"):
        path = f"/api/admin/users/{world.users[name]}"
        assert (await world.ask("admin", "PATCH", path, {"disabled": True}))[0] == 404


async def test_a_limited_key_gets_no_greater_one(world: World) -> None:
    status, limited = await world.ask("limited", "GET", "/api/me")
    assert (status, limited["admin"], limited["role"]) == (200, False, "admin")
    _, listed = await world.ask("limited", "GET", "/api/keys")
    greater = world.keys["admin"]
    assert greater in [key["id"] for key in listed["items"]]
    for method, path, body in (
        ("POST", "/api/keys", {"name": "more", "scopes": {}}),
        ("POST", "/api/keys", {"name": "more", "scopes": {"operations": ["admin"]}}),
        ("POST", f"/api/keys/{greater}/rotate", {}),
        ("PATCH", f"/api/keys/{limited['key_id']}", {"scopes": {}}),
    ):
        status, told = await world.ask("limited", method, path, body)
        assert (status, told["code"]) == (403, "scope_exceeded"), (path, told)
    status, same = await world.ask("limited", "POST", "/api/keys", {"name": "the same"})
    assert (status, same["scopes"]) == (201, limited["scopes"])


async def test_an_admin_works(world: World) -> None:
    ask = world.ask
    user = f"{world.users['ann']}-friend"
    body = {"id": user, "tenant_id": world.tenant, "name": "A friend"}
    status, made_user = await ask("admin", "POST", "/api/admin/users", body)
    assert (status, made_user["role"], made_user["disabled_at"]) == (201, "member", None)
    assert (await ask("admin", "POST", "/api/admin/users", body))[0] == 409
    key_body = {"owner_id": user, "name": "first", "scopes": {"models": ["openai/*"]}}
    status, key = await ask("admin", "POST", "/api/admin/keys", key_body)
    assert (status, key["scopes"]["models"]) == (201, ["openai/*"])
    assert re.fullmatch(r"ck_[0-9a-f_]+", key["key"])
    world.secrets["friend"] = key["key"]
    path = f"/api/admin/keys/{key['id']}"
    status, read = await ask("admin", "GET", path)
    assert (status, "key" in read) == (200, False)
    assert (await ask("friend", "GET", "/api/me"))[1]["owner_id"] == user
    changed = {"name": "Still a friend", "disabled": True}
    status, told = await ask("admin", "PATCH", f"/api/admin/users/{user}", changed)
    assert (status, told["name"]) == (200, "Still a friend")
    _, page = await ask("admin", "GET", "/api/admin/audit?limit=2")
    assert [entry["action"] for entry in page["items"]] == ["user.change", "key.create"]
    assert {entry["address"] for entry in page["items"]} == {"127.0.0.1"}
    assert {entry["actor_owner_id"] for entry in page["items"]} == {world.users["admin"]}
    following = f"/api/admin/audit?limit=9&cursor={page['next_cursor']}"
    _, older = await ask("admin", "GET", following)
    assert older["items"][0]["action"] == "user.create"
    assert {entry["tenant_id"] for entry in older["items"]} == {world.tenant}
    assert key["key"] not in str(page) + str(older)


async def test_lists_in_pages(world: World) -> None:
    for path in ("tenants", "users", "keys"):
        seen: list[str] = []
        target = f"/api/admin/{path}?limit=2"
        while True:
            _, page = await world.ask("operator", "GET", target)
            seen += [one["id"] for one in page["items"]]
            if page["next_cursor"] is None:
                break
            target = f"/api/admin/{path}?limit=2&cursor={page['next_cursor']}"
        assert len(seen) == len(set(seen)) >= 5, path
    _, page = await world.ask("admin", "GET", "/api/admin/tenants")
    assert [one["id"] for one in page["items"]] == [world.tenant]


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/api/admin/tenants", {"id": "a b"}, "id"),
        ("/api/admin/users", {"id": "", "tenant_id": "local"}, "id"),
        ("/api/keys", {"name": " "}, "name"),
        ("/api/keys", {"name": "x", "scopes": {"operations": ["fly"]}}, None),
        ("/api/keys", {"name": "x", "scopes": {"models": [""]}}, "scopes.models"),
        ("/api/keys", {"name": "x", "scopes": "all"}, None),
        ("/api/keys", {"name": "x", "expires_at": "2020-01-01T00:00:00Z"}, "expires_at"),
        ("/api/keys", {"name": "x", "expires_at": "2090-01-01T00:00:00"}, "expires_at"),
        ("/api/keys", {"name": "x", "expires_at": "9999-12-31T23:59:59-14:00"}, "expires_at"),
        ("/api/keys", {"name": "x", "scopes": {"modles": ["openai/*"]}}, "scopes.modles"),
        ("/api/keys", {"name": "x", "scope": {"models": []}}, "scope"),
        ("/api/keys", {"name": "x\x1b[2J"}, "name"),
        ("/api/admin/keys", {"owner_id": "local", "name": "x" * 101}, "name"),
    ],
)
async def test_bad_input(
    scenario: Scenario, path: str, body: dict[str, Any], field: str | None
) -> None:
    status, told = await scenario.call("POST", path, body)
    assert (status, told["code"]) == (422, "validation_error"), told
    assert field is None or field in told["errors"]
    status, _ = await scenario.call("GET", "/api/admin/audit?cursor=nonsense")
    assert status == 422
    for missing in ("/api/admin/users/x%00", "/api/admin/tenants/none", "/api/keys/none"):
        assert (await scenario.call("GET", missing))[0] in (404, 422)


async def test_a_change_of_nothing_changes_nothing(world: World) -> None:
    key = f"/api/admin/keys/{world.keys['ann']}"
    for path in (
        f"/api/admin/tenants/{world.tenant}",
        f"/api/admin/users/{world.users['ann']}",
        key,
    ):
        _, before = await world.ask("admin", "GET", path)
        for body in ({}, {"name": None}):
            assert await world.ask("admin", "PATCH", path, body) == (200, before)
    status, told = await world.ask("admin", "PATCH", key, {"expiry": "2090-01-01T00:00:00Z"})
    assert (status, list(told["errors"])) == (422, ["expiry"])
    for path in (f"/api/admin/users/{world.users['ann']}", f"/api/admin/tenants/{world.tenant}"):
        status, told = await world.ask("admin", "PATCH", path, {"disable": True})
        assert (status, list(told["errors"])) == (422, ["disable"])
    budgets = f"/api/admin/users/{world.users['ann']}/budgets"
    for misspelt in ({"dya": {"tokens": 5}}, {"day": {"token": 5}}):
        assert (await world.ask("admin", "PUT", budgets, misspelt))[0] == 422
    assert (await world.ask("admin", "PUT", budgets, {"day": {"tokens": True}}))[0] == 422
    many = {"day": {"tokens": 20000, "money": "1e2"}}
    status, told = await world.ask("admin", "PUT", budgets, many)
    assert (status, [one["amount"] for one in told["items"]]) == (200, ["100", "20000"])
    local = {"id": "local", "tenant_id": world.tenant}
    status, told = await world.ask("admin", "POST", "/api/admin/users", local)
    assert (status, told["code"]) == (409, "user_exists")


async def test_a_key_that_ends_with_the_calendar(world: World) -> None:
    ending = {"name": "for ever", "expires_at": "9999-12-31T23:59:59.999999Z"}
    status, key = await world.ask("ann", "POST", "/api/keys", ending)
    assert (status, key["expires_at"]) == (201, "9999-12-31T23:59:59Z")
    assert (await world.ask("ann", "GET", "/api/keys"))[0] == 200
    world.secrets["for ever"] = key["key"]
    assert (await world.ask("for ever", "GET", "/api/me"))[0] == 200


async def test_moments_that_cannot_be_stored(scenario: Scenario) -> None:
    for moment in ("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59-14:00"):
        for field in ("since", "until"):
            status, told = await scenario.call("GET", f"/api/usage?{field}={moment}")
            assert status in (200, 422), (field, moment, told)


async def test_who_runs_the_server_is_not_locked_out(scenario: Scenario) -> None:
    for path, body in (
        ("/api/admin/users/local", {"disabled": True}),
        ("/api/admin/users/local", {"role": "member"}),
        ("/api/admin/tenants/local", {"disabled": True}),
    ):
        status, told = await scenario.call("PATCH", path, body)
        assert (status, told["code"]) == (409, "local_account"), told
    status, _ = await scenario.call("POST", "/api/keys/bootstrap/revoke")
    assert status == 409

"""A credential is the same by whatever header it comes, and what is nearly one is none."""

import asyncio
import json
import zlib
from collections.abc import Iterator, Mapping

import pytest
from tests.harness.scenario import Scenario
from tests.harness.server import KEY
from tests.journeys.accounts import new_key, new_tenant, new_user
from tests.security.cells import Asked, Told, all_routes, ask, plain
from tests.security.owners import Asking, Owners
from tests.security.routes import protected_routes
from tests.security.rules import Access, Kind

NOTHING = [
    *("null", "undefined", "None", "[]", "{}", '""', "''", "0", "true", "*", "%00", "\xa0"),
    *("Bearer", "\xe9"),
]


def by(headers: Mapping[str, str]) -> Asking:
    return Asking("by headers", headers)


def key_of(owners: Owners) -> str:
    return owners.a.headers["X-API-Key"]


def same_key(key: str) -> list[dict[str, str]]:
    """The ways to send one key."""
    return [
        {"X-API-Key": key},
        {"x-api-key": key},
        {"X-Api-Key": f"  {key} "},
        {"Authorization": f"Bearer {key}"},
        {"authorization": f"bearer {key}"},
        {"Authorization": f"BEARER  {key}"},
        {"X-API-Key": key, "Authorization": f"Bearer {key}"},
    ]


def turned(text: str) -> str:
    """A text of the same length, with another character in each place."""
    return "".join("b" if one == "a" else "a" for one in text)


def near(key: str) -> Iterator[str]:
    """Texts that are nearly a key: equal in their first or last characters, cut, lengthened."""
    for at in range(len(key)):
        other = "0" if key[at] != "0" else "1"
        yield f"{key[:at]}{other}{key[at + 1 :]}"
    for length in range(1, len(key)):
        yield key[:length]
        yield key[length:]
        yield key[:length] + turned(key[length:])
        yield turned(key[:length]) + key[length:]
    yield from (f"{key}{end}" for end in ("0", "=", "\t0", ",", f",{key}", f" {key}", "\xa0"))
    yield from (f"{start}{key}" for start in ("0", "Bearer ", "sk-", '"', "x,"))
    yield from (key.upper(), key.swapcase(), key[::-1], f'"{key}"', f"{key}{key}")


def rejoined(one: str, other: str) -> str:
    """The id of one key with the secret of the other, and a checksum that is right."""
    text = f"{one.rpartition('_')[0].rpartition('_')[0]}_{other.split('_')[2]}"
    return f"{text}_{zlib.crc32(text.encode()):08x}"


def masked(told: Told) -> tuple[int, bytes]:
    """What is the same of two answers to one caller."""
    kept = json.loads(told.body) if told.body.startswith(b"{") else {}
    kept.pop("request_id", None)
    return told.status, json.dumps(kept).encode()


async def told_to(scenario: Scenario, headers: Mapping[str, str], path: str) -> tuple[int, bytes]:
    return masked(await ask(scenario, by(headers), Asked("GET", path)))


async def test_the_same_key_by_each_header(scenario: Scenario, owners: Owners) -> None:
    conversation, run = (owners.things[kind][0] for kind in (Kind.CONVERSATION, Kind.RUN))
    foreign = owners.strangers[0].things[Kind.CONVERSATION][0]
    for path in (
        f"/api/conversations/{conversation}",
        f"/api/conversations/{foreign}",
        f"/api/runs/{run}",
        f"/v1/conversations/{conversation}",
        f"/v1/conversations/{foreign}",
        "/api/conversations?limit=500000",
        "/api/models",
        "/api/nothing",
    ):
        told = [await told_to(scenario, way, path) for way in same_key(key_of(owners))]
        assert len(set(told)) == 1, (path, told)


async def test_each_route_by_each_header(scenario: Scenario) -> None:
    """A key that may do everything, one that may do little, and one that is none."""
    owner = await new_user(scenario, await new_tenant(scenario))
    scopes = {"operations": ["conversations"], "providers": []}
    full = (await new_key(scenario, owner))["key"]
    narrow = (await new_key(scenario, owner, scopes=scopes))["key"]
    ways = {key: same_key(key) for key in (full, narrow, f"{full[:-1]}x")}
    for method, path in protected_routes():
        body = {} if method in ("POST", "PUT", "PATCH") else None
        for key, headers in ways.items():
            asked = Asked(method, path, body=body)
            told = [(await ask(scenario, by(way), asked)).status for way in headers]
            assert len(set(told)) == 1, (method, path, key, told)
            assert (told[0] == 401) == (key not in (full, narrow)), (method, path, key, told)


async def test_the_keys_of_two_users_in_turn(scenario: Scenario, owners: Owners) -> None:
    """Nobody is taken for somebody else, also while many ask at once."""
    askers = [each for each in owners.strangers if "X-API-Key" in each.headers]

    async def me(turn: int) -> str:
        asking = askers[turn % len(askers)]
        return json.loads((await ask(scenario, asking, Asked("GET", "/api/me"))).body)["owner_id"]

    found = await asyncio.gather(*(me(turn) for turn in range(60)))
    assert found == [askers[turn % len(askers)].things[Kind.USER][0] for turn in range(60)]


@pytest.mark.parametrize("path", ["/api/conversations", "/v1/models", "/v1/chat/completions"])
async def test_what_is_nearly_a_key_is_none(scenario: Scenario, owners: Owners, path: str) -> None:
    """And all of them are told the same, so that nothing shows how near they were."""
    method = "POST" if path.endswith("completions") else "GET"
    b = owners.strangers[0].headers["X-API-Key"]
    a = key_of(owners)
    tried = [*near(a), *near(KEY), rejoined(a, b), rejoined(b, a)]
    told: dict[tuple[int, bytes], str] = {}
    for text in tried:
        answer = await ask(scenario, by({"X-API-Key": text}), Asked(method, path))
        told.setdefault(masked(answer), text)
    assert len(tried) > 200
    assert [status for status, _ in told] == [401], told


@pytest.mark.parametrize("text", NOTHING)
async def test_what_is_nothing_is_no_key(scenario: Scenario, owners: Owners, text: str) -> None:
    for headers in (
        {"X-API-Key": text},
        {"Authorization": f"Bearer {text}"},
        {"Cookie": f"cartrita_session={text}"},
        {"Authorization": text},
        {"Authorization": f"Basic {text}"},
    ):
        for path in ("/api/conversations", "/v1/models"):
            status, told = await told_to(scenario, headers, path)
            assert status in (400, 401), (headers, path, told)


async def test_empty_credentials_are_none(scenario: Scenario) -> None:
    for headers in (
        {"X-API-Key": ""},
        {"X-API-Key": "   "},
        {"Authorization": "Bearer "},
        {"Authorization": "Bearer"},
        {"Cookie": "cartrita_session="},
        {"Cookie": ""},
        {"X-API-Key": "", "Authorization": "Bearer "},
    ):
        for route in all_routes():
            if route.rule.access is Access.CALLERS and not route.parameters:
                told = await ask(scenario, by(headers), plain(route, {}))
                assert told.status == 401, (route, headers, told)


async def test_two_different_credentials(scenario: Scenario, owners: Owners) -> None:
    """Neither counts, whichever comes first, at any route."""
    a, b = key_of(owners), owners.strangers[0].headers["X-API-Key"]
    for headers in (
        {"X-API-Key": a, "Authorization": f"Bearer {b}"},
        {"Authorization": f"Bearer {a}", "X-API-Key": b},
        {"X-API-Key": a, "Authorization": "Bearer ck_unknown"},
        {"X-API-Key": a, "x-api-key": b},
    ):
        for route in all_routes():
            if route.rule.access not in (Access.EVERYBODY, Access.SIGN_IN):
                told = await ask(scenario, by(headers), plain(route, owners.things))
                assert told.status == 400, (route, headers, told)
                assert owners.word.encode() not in told.body


async def test_a_key_beside_a_cookie_counts(scenario: Scenario, owners: Owners) -> None:
    """Browsers send cookies by themselves; a key is sent on purpose."""
    signed_in = next(each for each in owners.strangers if each.name == "B, signed in")
    conversation = owners.things[Kind.CONVERSATION][0]
    headers = {**signed_in.headers, **owners.a.headers}
    status, _ = await told_to(scenario, headers, f"/api/conversations/{conversation}")
    assert status == 200


@pytest.mark.parametrize("name", ["api_key", "apikey", "x-api-key", "key", "access_token", "token"])
async def test_a_key_in_the_url_is_refused(scenario: Scenario, owners: Owners, name: str) -> None:
    key = key_of(owners)
    for path in ("/api/conversations", "/api/chat/stream", "/v1/models"):
        for headers in ({}, {"X-API-Key": key}):
            status, told = await told_to(scenario, headers, f"{path}?{name}={key}")
            assert status == 400, told
            assert key.encode() not in told
    assert key not in scenario.server.log_path.read_text()

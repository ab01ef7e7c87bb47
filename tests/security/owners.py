"""Owners with things of their own, made by the API, and everybody else who may ask for them."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Set
from typing import Any, TypeAlias
from uuid import uuid4

import msgspec
from tests.harness import raw_http
from tests.harness.clients import call
from tests.harness.documents import form, png
from tests.harness.fake_provider.script import Script, ToolCall, directive
from tests.harness.fixtures import PROVIDER_KEY
from tests.harness.scenario import Scenario, eventually
from tests.harness.server import KEY
from tests.journeys.accounts import new_key, new_tenant, new_user
from tests.security.rules import Kind

from cartrita.domain.principals import LOCAL_TENANT
from cartrita.kit import ids

_UUID_DIGITS = 32
Things = Mapping[Kind, list[str]]
"""Public ids of things of each kind."""


class Asking(msgspec.Struct, frozen=True):
    """Somebody who asks: by which headers, and with which things of its own."""

    name: str
    headers: Mapping[str, str]
    known: bool = True
    """Whether the server knows the credential."""
    admin: bool = False
    """Whether it manages users: A, too, if it is `a_managed`."""
    a_managed: bool = False
    things: Things = {}
    ways: int = 6
    """In so many spellings it tries each id."""


class Owners(msgspec.Struct, frozen=True):
    """A, whose things are asked for, and those to whom they are not there."""

    word: str
    """Stands in everything that A has, and in nothing else."""
    a: Asking
    manager: Asking
    """An admin of A's tenant."""
    things: Things
    others: list[Asking]

    @property
    def strangers(self) -> list[Asking]:
        """The others whom the server knows, who have things of their own."""
        return [other for other in self.others if other.known]

    @property
    def unknown(self) -> list[Asking]:
        """The others who are refused before anything is looked up."""
        return [other for other in self.others if not other.known]


async def made(
    scenario: Scenario, asking: Mapping[str, str], path: str, body: Mapping[str, Any]
) -> dict[str, Any]:
    """What a POST makes, by whose headers these are."""
    status, told = await call(scenario.server.port, "POST", path, asking, body)
    assert status in (200, 201, 202), (path, status, told)
    return told


async def new_credential(
    scenario: Scenario, headers: Mapping[str, str], *, shared: bool = False
) -> dict[str, Any]:
    """The key of the fake provider, which pays for whose headers these are, or for its tenant."""
    body = {"provider": "openai", "key": PROVIDER_KEY, "shared": shared}
    return (await made(scenario, headers, "/api/credentials", body))["credential"]


async def new_things(
    scenario: Scenario,
    headers: Mapping[str, str],
    word: str,
    kinds: Set[Kind] = frozenset(Kind),
) -> Things:
    """Two conversations with messages, runs, stored responses and images, keys, a credential.

    Of other kinds than those asked for there may be none.
    """
    things: dict[Kind, list[str]] = {kind: [] for kind in Kind}
    for of, make in _MAKERS:
        if of & kinds:
            for kind, made_ids in (await make(scenario, headers, word)).items():
                things[kind] += made_ids
    return things


async def _itself(scenario: Scenario, headers: Mapping[str, str], _: str) -> Things:
    status, me = await call(scenario.server.port, "GET", "/api/me", headers)
    assert status == 200, me
    return {Kind.USER: [me["owner_id"]], Kind.TENANT: [me["tenant_id"]]}


async def _credential(scenario: Scenario, headers: Mapping[str, str], _: str) -> Things:
    return {Kind.CREDENTIAL: [(await new_credential(scenario, headers))["id"]]}


async def _keys(scenario: Scenario, headers: Mapping[str, str], word: str) -> Things:
    keys = [await made(scenario, headers, "/api/keys", {"name": word}) for _ in range(2)]
    return {Kind.KEY: [key["id"] for key in keys]}


async def _images(scenario: Scenario, headers: Mapping[str, str], word: str) -> Things:
    return {Kind.FILE: [await new_image(scenario, headers, f"{word}.png") for _ in range(2)]}


async def _conversation(scenario: Scenario, headers: Mapping[str, str], word: str) -> Things:
    conversation = (await made(scenario, headers, "/api/conversations", {"title": word}))["id"]
    chat = {"message": f"{word}?", "conversation_id": conversation, "model": "openai/fake"}
    told = await made(scenario, headers, "/api/chat", {**chat, "metadata": {"word": word}})
    await made(
        scenario,
        headers,
        f"/api/messages/{told['message_id']}/feedback",
        {"score": 1, "comment": word},
    )
    asked = {"model": "openai/fake", "input": f"{word}?", "conversation": conversation}
    response = await made(scenario, headers, "/v1/responses", asked)
    path = f"/v1/conversations/{conversation}/items"
    status, items = await call(scenario.server.port, "GET", path, headers)
    assert status == 200, items
    _, me = await call(scenario.server.port, "GET", "/api/me", headers)
    return {
        Kind.CONVERSATION: [conversation],
        Kind.DESKTOP: [await ended_desktop(scenario, me["owner_id"], conversation)],
        Kind.MESSAGE: [told["message_id"], told["message"]["parent_id"]],
        Kind.RUN: [told["run_id"]],
        Kind.RESPONSE: [response["id"]],
        Kind.ITEM: [item["id"] for item in items["data"][:2]],
    }


async def _waiting(scenario: Scenario, headers: Mapping[str, str], word: str) -> Things:
    waiting = await new_waiting(scenario, headers, word)
    return {Kind.RUN: [waiting["run_id"]], Kind.APPROVAL: [waiting["approval"]["approval_id"]]}


_CONVERSED = frozenset(
    {Kind.CONVERSATION, Kind.DESKTOP, Kind.MESSAGE, Kind.RUN, Kind.RESPONSE, Kind.ITEM}
)
_Make: TypeAlias = Callable[[Scenario, Mapping[str, str], str], Awaitable[Things]]
_MAKERS: tuple[tuple[Set[Kind], _Make], ...] = (
    ({Kind.USER, Kind.TENANT}, _itself),
    ({Kind.CREDENTIAL}, _credential),
    ({Kind.KEY}, _keys),
    ({Kind.FILE}, _images),
    (_CONVERSED, _conversation),
    (_CONVERSED, _conversation),
    ({Kind.APPROVAL}, _waiting),  # the last run: see `plain`
)


async def new_waiting(scenario: Scenario, headers: Mapping[str, str], word: str) -> dict[str, Any]:
    """A run that waits for a decision."""
    calculator = ToolCall(name="calculator", arguments={"expression": "6*7"})
    message = f"{word} {uuid4().hex} {directive(Script(tool_calls=(calculator,)), Script())}"
    return await made(scenario, headers, "/api/chat", {"message": message, "approval": "always"})


async def ended_desktop(scenario: Scenario, owner_id: str, conversation: str) -> str:
    """The id of a desktop that ran for a conversation; none is started here."""
    [row] = await scenario.fetch(
        "INSERT INTO desktop_sessions (id, owner_id, conversation_id, status, machine, width,"
        " height, isolation, expires_at, idle_s, ended_at, reason) VALUES (gen_random_uuid(), $1,"
        " $2::text::uuid, 'stopped', 'elsewhere', 1280, 800, 'plain', now(), 900, now(),"
        " 'It ended.')"
        " RETURNING id",
        owner_id,
        conversation.removeprefix("conv_"),
    )
    return ids.public("desktop", row["id"])


async def new_image(scenario: Scenario, headers: Mapping[str, str], name: str) -> str:
    """The id of an image of its own, which has been read."""
    port, color = scenario.server.port, uuid4().bytes[:3]
    kind, body = form(("file", name, png(1, 1, rows=b"\0" + color)))
    sent = {**headers, "Content-Type": kind}
    async with await raw_http.request(port, "POST", "/api/upload", sent, body) as answer:
        assert answer.status == 201, await answer.body()
        made: str = msgspec.json.decode(await answer.body())["file_id"]

    async def look() -> bool:
        _, told = await call(port, "GET", f"/api/files/{made}", headers)
        assert told["status"] != "unreadable", told
        return told["status"] == "ready"

    await eventually(look)
    return made


async def cookie_of(scenario: Scenario, headers: Mapping[str, str]) -> Mapping[str, str]:
    """The headers by which a page of ours asks, after its user has signed in."""
    origin = f"http://{raw_http.HOST}:{scenario.server.port}"
    sent = {**headers, "Content-Type": "application/json", "Origin": origin}
    asked = raw_http.request(scenario.server.port, "POST", "/api/session", sent, b"{}")
    async with await asked as answer:
        assert answer.status == 200, await answer.body()
        cookie = answer.headers["set-cookie"].partition(";")[0]
    events = {"Accept": "text/event-stream", "Sec-Fetch-Site": "same-origin"}
    return {"Cookie": cookie, "Origin": origin, **events}


async def new_owners(scenario: Scenario) -> Owners:
    """New owners: A with things that hold a word, everybody else, and keys that are none any more.

    B is of A's tenant, C of another; each tenant has an admin, and the server another operator.
    """
    word = f"chrysoprase{uuid4().hex}"
    here, there = await new_tenant(scenario), await new_tenant(scenario)
    a = await new_user(scenario, here)
    by_a, lost = await new_key(scenario, a), await new_key(scenario, a)
    old_cookie = await cookie_of(scenario, {"X-API-Key": lost["key"]})
    await made(scenario, {"X-API-Key": KEY}, f"/api/admin/keys/{lost['id']}/revoke", {})
    for ended in ({"X-API-Key": lost["key"]}, old_cookie):
        await _refused(scenario, ended)
    others = [
        Asking("anonymous", {}, known=False),
        Asking("revoked", {"X-API-Key": lost["key"]}, known=False),
        Asking("revoked, signed in", old_cookie, known=False, ways=1),
        Asking("unknown", {"Authorization": "Bearer ck_unknown"}, known=False),
    ]
    for name, tenant, role in (
        ("B", here, "member"),
        ("C", there, "member"),
        ("admin of A's tenant", here, "admin"),
        ("admin of C's tenant", there, "admin"),
        ("operator", LOCAL_TENANT, "admin"),
    ):
        key = (await new_key(scenario, await new_user(scenario, tenant, role)))["key"]
        things = await new_things(scenario, {"X-API-Key": key}, "pyrope")
        admin = role == "admin"
        first = Asking(
            name,
            {"X-API-Key": key},
            things=things,
            admin=admin,
            a_managed=admin and tenant != there,
            ways=2 if admin else 6,
        )
        others.append(first)
        if not admin:
            cookie = await cookie_of(scenario, first.headers)
            by_bearer = {"Authorization": f"Bearer {key}"}
            others += [
                Asking(f"{name} by Bearer", by_bearer, things=things, ways=1),
                Asking(f"{name}, signed in", cookie, things=things, ways=2),
            ]
    manager = next(each for each in others if each.a_managed)
    headers = {"X-API-Key": by_a["key"]}
    things = await new_things(scenario, headers, word)
    return Owners(word, Asking("A", headers), manager, things, others)


async def _refused(scenario: Scenario, ended: Mapping[str, str]) -> None:
    """Wait until every worker refuses what a key has opened that was revoked."""
    async with asyncio.timeout(60):
        refused = 0
        while refused < 8:
            status, _ = await call(scenario.server.port, "GET", "/api/conversations", ended)
            refused = refused + 1 if status == 401 else 0


def unknown_id(text: str) -> str:
    """An id that nothing has, in the form of one that something has."""
    prefix, _, digits = text.rpartition("_")
    if not prefix:
        return f"{uuid4().hex}{uuid4().hex}"[: len(text)]
    return ids.fresh(prefix) + digits[_UUID_DIGITS:]


def spellings(text: str) -> list[str]:
    """The ways in which an id may be written."""
    prefix, _, digits = text.rpartition("_")
    if not prefix:
        return [text]
    dashed = "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
    return [text, digits, dashed, digits.upper(), f"{prefix}_{dashed}", f"urn:uuid:{digits}"]

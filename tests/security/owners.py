"""Owners with things of their own, made by the API, and everybody else who may ask for them."""

import asyncio
import re
import subprocess
import sys
from collections.abc import Mapping
from itertools import count
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec
from tests.harness import raw_http
from tests.harness.clients import call
from tests.harness.scenario import Scenario
from tests.security.rules import Kind

from cartrita.kit import ids

_numbers = count(1)
_UUID_DIGITS = 32
Things = Mapping[Kind, list[str]]
"""Public ids of things of each kind."""


class Asking(msgspec.Struct, frozen=True):
    """Somebody who asks: by which headers, and with which things of its own."""

    name: str
    headers: Mapping[str, str]
    known: bool = True
    """Whether the server knows the credential."""
    things: Things = {}
    ways: int = 6
    """In so many spellings it tries each id."""


class Owners(msgspec.Struct, frozen=True):
    """A, whose things are asked for, and those to whom they are not there."""

    word: str
    """Stands in everything that A has, and in nothing else."""
    a: Asking
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


async def cli(scenario: Scenario, *words: str) -> str:
    """What a command of the server's operator prints."""
    done = await asyncio.to_thread(
        subprocess.run,
        [str(Path(sys.executable).with_name("cartrita")), *words],
        env=scenario.server.environment,
        cwd=scenario.server.root,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


async def new_key(scenario: Scenario) -> tuple[str, str]:
    """The id and the secret of a new key, of an owner of its own."""
    printed = await cli(scenario, "keys", "create", f"key-{next(_numbers)}")
    found = re.search(r"ck_([0-9a-f]+)_\w+", printed)
    assert found is not None, printed
    return found[1], found[0]


async def made(
    scenario: Scenario, asking: Mapping[str, str], path: str, body: Mapping[str, Any]
) -> dict[str, Any]:
    """What a POST makes, by whose headers these are."""
    status, told = await call(scenario.server.port, "POST", path, asking, body)
    assert status in (200, 201), (path, status, told)
    return told


async def new_things(scenario: Scenario, headers: Mapping[str, str], word: str) -> Things:
    """Two conversations with messages, runs and stored responses in them."""
    things: dict[Kind, list[str]] = {kind: [] for kind in Kind}
    for _ in range(2):
        title = {"title": word}
        conversation = (await made(scenario, headers, "/api/conversations", title))["id"]
        chat = {"message": f"{word}?", "conversation_id": conversation, "model": "openai/fake"}
        told = await made(scenario, headers, "/api/chat", {**chat, "metadata": {"word": word}})
        asked = {"model": "openai/fake", "input": f"{word}?", "conversation": conversation}
        response = await made(scenario, headers, "/v1/responses", asked)
        path = f"/v1/conversations/{conversation}/items"
        status, items = await call(scenario.server.port, "GET", path, headers)
        assert status == 200, items
        things[Kind.CONVERSATION].append(conversation)
        things[Kind.MESSAGE] += [told["message_id"], told["message"]["parent_id"]]
        things[Kind.RUN].append(told["run_id"])
        things[Kind.RESPONSE].append(response["id"])
        things[Kind.ITEM] += [item["id"] for item in items["data"][:2]]
    return things


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
    """New owners: A with things that hold a word, B and C, and keys that are none any more."""
    word = f"chrysoprase{uuid4().hex}"
    (_, a), (lost_id, lost), (_, b), (_, c) = [await new_key(scenario) for _ in range(4)]
    by_a = {"X-API-Key": a}
    old_cookie = await cookie_of(scenario, {"X-API-Key": lost})
    await cli(scenario, "keys", "revoke", lost_id)
    for ended in ({"X-API-Key": lost}, old_cookie):
        await _refused(scenario, ended)
    others = [
        Asking("anonymous", {}, known=False),
        Asking("revoked", {"X-API-Key": lost}, known=False),
        Asking("revoked, signed in", old_cookie, known=False, ways=1),
        Asking("unknown", {"Authorization": "Bearer ck_unknown"}, known=False),
    ]
    for name, key in (("B", b), ("C", c)):
        things = await new_things(scenario, {"X-API-Key": key}, "pyrope")
        cookie = await cookie_of(scenario, {"X-API-Key": key})
        others += [
            Asking(name, {"X-API-Key": key}, things=things),
            Asking(f"{name} by Bearer", {"Authorization": f"Bearer {key}"}, things=things, ways=1),
            Asking(f"{name}, signed in", cookie, things=things, ways=2),
        ]
    return Owners(word, Asking("A", by_a), await new_things(scenario, by_a, word), others)


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
    return ids.fresh(prefix) + digits[_UUID_DIGITS:]


def spellings(text: str) -> list[str]:
    """The ways in which an id may be written."""
    prefix, _, digits = text.rpartition("_")
    dashed = "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
    return [text, digits, dashed, digits.upper(), f"{prefix}_{dashed}", f"urn:uuid:{digits}"]

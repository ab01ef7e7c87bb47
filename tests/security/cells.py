"""The cells of the ownership matrix: requests that name a thing of A's, each with its twin.

The twin is the same request for a thing that does not exist. To everybody but A both must look the
same.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any
from urllib.parse import quote

import msgspec
from tests.harness import raw_http
from tests.harness.documents import form
from tests.harness.scenario import Scenario
from tests.security.owners import Asking, Owners, Things, spellings, unknown_id
from tests.security.rules import MANAGED, PATH_KINDS, RULES, SHARED, Access, Field, Rule

from cartrita.app import create_app, routes
from cartrita.surfaces.console.built_files import INDEX, built_files
from cartrita.surfaces.services import SurfaceConfig

SHARED_NAMES = {
    "agent_id": "assistant",
    "asset_name": next(name for name in built_files() if name != INDEX),
    "model_id": "openai/fake",
    "name": "openai",
}
_VARYING = frozenset(
    {"date", "x-request-id", "request-id", "content-length", "server-timing", "ratelimit"}
)


class Route(msgspec.Struct, frozen=True):
    """One route of the server, with its rule."""

    method: str
    path: str
    name: str

    @property
    def rule(self) -> Rule:
        return RULES[self.name]

    @property
    def parameters(self) -> list[str]:
        """The names in its path of what has an owner."""
        return [name for name in re.findall(r"{(\w+)}", self.path) if name not in SHARED]


class Asked(msgspec.Struct, frozen=True):
    """One request without its credential."""

    method: str
    target: str
    headers: Mapping[str, str] = {}
    body: Mapping[str, Any] | None = None
    upload: str = ""
    """The field of a form that takes a file; the body is the form's other fields."""
    file: tuple[str, bytes] = ("", b"")


class Cell(msgspec.Struct, frozen=True):
    """What somebody asks of A's, what it asks of nobody's, and what it must be told."""

    asking: Asking
    foreign: Asked
    absent: Asked
    names: tuple[tuple[str, str], ...]
    """The ids in which the two requests differ."""
    status: int


class Told(msgspec.Struct, frozen=True):
    """One answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@cache
def all_routes() -> Sequence[Route]:
    """Every route that the server answers."""
    return [Route(*each) for each in routes(create_app(SurfaceConfig()))]


async def ask(scenario: Scenario, asking: Asking, asked: Asked) -> Told:
    """Send a request, and read the whole of its answer."""
    headers = {**asking.headers, **asked.headers}
    body = b""
    if asked.upload:
        headers["Content-Type"], body = form((asked.upload, *asked.file), fields=asked.body)
    elif asked.body is not None:
        headers["Content-Type"] = "application/json"
        body = json.dumps(asked.body).encode()
    sent = raw_http.request(scenario.server.port, asked.method, asked.target, headers, body)
    async with await sent as answer:
        told = b"" if asked.method == "HEAD" else await answer.body()
        kept = {name: value for name, value in answer.headers.items() if name not in _VARYING}
        return Told(answer.status, kept, told)


def plain(route: Route, things: Things, word: str = "x") -> Asked:
    """A route asked for things of one owner, by nothing else than its path."""
    which = -1 if "approval_id" in route.parameters else 0
    given = {name: things[PATH_KINDS[name]][which] for name in route.parameters}
    asked = _filled(route, given, query=route.rule.query.replace("WORD", word))
    body = json.loads(json.dumps(asked.body).replace("WORD", word))
    return msgspec.structs.replace(asked, body=body)


def may_ask(route: Route, asking: Asking) -> bool:
    """Whether a route is for callers of this role, whatever they name."""
    access = route.rule.access
    if access is Access.OPERATORS:
        return asking.name == "operator"
    if access is Access.ADMINS:
        return asking.admin
    return asking.known or access is Access.EVERYBODY


def cells(owners: Owners) -> Iterator[Cell]:
    """Every cell of the matrix."""
    for route in all_routes():
        for asking in owners.others:
            if not (asking.a_managed and MANAGED & {PATH_KINDS[n] for n in route.parameters}):
                yield from _path_cells(route, owners, asking)
            for field in route.rule.fields:
                if not (asking.a_managed and field.kind in MANAGED):
                    yield from _field_cells(route, owners, asking, field)


def same(cell: Cell, foreign: Told, absent: Told) -> bool:
    """Whether the two answers of a cell differ in nothing but the ids that were asked for."""
    left, right = foreign.body, absent.body
    for theirs, nobodys in cell.names:
        left, right = masked(left, theirs), masked(right, nobodys)
    return (foreign.status, foreign.headers, left) == (absent.status, absent.headers, right)


def _refusal(route: Route, asking: Asking, missing: int) -> int:
    """The status for what is not there, to whoever may ask at all."""
    if not asking.known:
        return 401
    return missing if may_ask(route, asking) else 403


def _path_cells(route: Route, owners: Owners, asking: Asking) -> Iterator[Cell]:
    """All parameters name things of A's; and each alone, beside things of the asking's own."""
    names = route.parameters
    choices = [names] if names else []
    if len(names) > 1 and asking.known:
        choices += [[name] for name in names]
    for chosen in choices:
        own = {name: asking.things[PATH_KINDS[name]][0] for name in names if name not in chosen}
        for ids in _ids(owners, chosen, asking.ways):
            theirs = {name: pair[0] for name, pair in ids.items()}
            nobodys = {name: pair[1] for name, pair in ids.items()}
            yield Cell(
                asking,
                _filled(route, {**own, **theirs}),
                _filled(route, {**own, **nobodys}),
                tuple(ids.values()),
                _refusal(route, asking, 404),
            )


def _ids(owners: Owners, chosen: list[str], ways: int) -> Iterator[dict[str, tuple[str, str]]]:
    """For each spelling of each of A's things: the ids of those, and ids of nothing like them."""
    lists = {name: owners.things[PATH_KINDS[name]] for name in chosen}
    for number in range(max(map(len, lists.values()))):
        picked = {name: ids[number % len(ids)] for name, ids in lists.items()}
        written = {name: twins(each) for name, each in picked.items()}
        for way in range(min(ways, *map(len, written.values()))):
            yield {name: twins[way] for name, twins in written.items()}


def twins(text: str) -> list[tuple[str, str]]:
    """An id in each spelling, each with one of nothing that is spelled alike."""
    return list(zip(spellings(text), spellings(unknown_id(text)), strict=True))


def _field_cells(route: Route, owners: Owners, asking: Asking, field: Field) -> Iterator[Cell]:
    """One field names A's things, whatever the path names is the asking's own."""
    own: dict[str, str] = {}
    if asking.known:
        own = {name: asking.things[PATH_KINDS[name]][0] for name in route.parameters}
    else:
        own = {name: owners.things[PATH_KINDS[name]][0] for name in route.parameters}
    for text in owners.things[field.kind]:
        for theirs, nobodys in twins(text)[: 1 if field.exact else asking.ways]:
            yield Cell(
                asking,
                _filled(route, own, field, theirs),
                _filled(route, own, field, nobodys),
                ((theirs, nobodys),),
                _refusal(route, asking, field.refused),
            )


def _filled(
    route: Route,
    given: Mapping[str, str],
    field: Field | None = None,
    text: str = "",
    query: str | None = None,
) -> Asked:
    path = route.path
    for name, value in {**SHARED_NAMES, **given}.items():
        path = path.replace(f"{{{name}}}", quote(value, safe="/" if name == "model_id" else ""))
    rule = route.rule
    body = None if rule.body is None else dict(rule.body)
    queries = [rule.query if query is None else query]
    headers: dict[str, str] = {}
    if field is not None:
        filled = msgspec.json.decode(json.dumps(field.body).replace("ID", text))
        body = {**(body or {}), **filled} if filled else body
        queries.append(field.query.replace("ID", quote(text)))
        headers = {name: value.replace("ID", text) for name, value in field.headers.items()}
    whole = "&".join(filter(None, queries))
    target = f"{path}?{whole}" if whole else path
    return Asked(route.method, target, headers, body, rule.upload, rule.file)


def masked(body: bytes, text: str) -> bytes:
    """A body without an id that was asked for, and without that of the request."""
    digits = text.lower().removeprefix("urn:uuid:").rpartition("_")[2].replace("-", "")
    for each in (text, digits):
        body = body.replace(each.encode(), b"<id>")
    return re.sub(rb'"request_id": ?"[^"]*"', b'"request_id":""', body)

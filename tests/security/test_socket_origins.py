"""No page of another origin and no other host opens a WebSocket, whatever credential it has."""

from tests.harness.clients import call
from tests.harness.fixtures import Serve
from tests.harness.scenario import Scenario
from tests.security.doors import Door, each_door
from tests.security.handshakes import credentials_of, handshake, own_host
from tests.security.owners import Asking, Owners, ended_desktop, made
from tests.security.rules import Kind

ORIGINS = [
    "https://evil.example",
    "null",
    "",
    "*",
    "file://",
    "http://{host}.evil.example",
    "http://evil.example/{host}",
    "http://{host}@evil.example",
    "http://user@{host}",
    "http://{host}/",
    "https://{host}",
    "ws://{host}",
    "http://127.0.0.1",
    "http://127.0.0.1:1",
    "http://localhost",
    "{host}",
    "http://{host}, http://{host}",
    "http://{host} http://evil.example",
]
HOSTS = [
    "x/health?",
    "x#",
    "x?",
    "x\\@y",
    "x@y",
    "/",
    "x:80/",
    "x%2f",
    "",
    "a, b",
    "a b",
    "[::1",
    "x:999999",
    "x:y",
    "http://x",
    "\xe9",
]
MADE_BY_REQUESTS = [
    "api_keys",
    "attachments",
    "audit_log",
    "budgets",
    "conversations",
    "credentials",
    "file_contents WHERE status NOT IN ('arriving', 'removed')",
    "runs",
    "tenants",
    "tickets",
    "tickets WHERE used_at IS NULL",
    "users",
]


async def ticket(scenario: Scenario, asking: Asking) -> str:
    return (await made(scenario, asking.headers, "/api/stream-tickets", {}))["ticket"]


async def credentials(
    scenario: Scenario, owners: Owners, door: Door
) -> list[tuple[dict[str, str], str]]:
    """Headers and a target by which B may open a socket, of each kind; and none of them."""
    mine = [each for each in owners.strangers if each.name.startswith("B")]
    assert len(mine) == 3
    path = door.path(mine[0].things)
    target = f"{path}?ticket={await ticket(scenario, mine[0])}"
    return [({}, path), *((credentials_of(each), path) for each in mine), ({}, target)]


async def own_desktop(scenario: Scenario) -> str:
    """A desktop of whoever asks without a key."""
    _, me = await call(scenario.server.port, "GET", "/api/me", {})
    conversation = await made(scenario, {}, "/api/conversations", {})
    return await ended_desktop(scenario, me["owner_id"], conversation["id"])


async def counts(scenario: Scenario) -> dict[str, int]:
    """How many rows there are of what requests make, and how many tickets are unused.

    Without events, messages, steps, approvals and the ledger: runs that earlier requests began
    still write those. What is removed of files, or was not whole, goes later too.
    """
    return {
        rows: (await scenario.fetch(f"SELECT count(*) FROM {rows}"))[0][0]
        for rows in MADE_BY_REQUESTS
    }


@each_door
async def test_pages_of_other_origins(scenario: Scenario, owners: Owners, door: Door) -> None:
    """Each is refused before anything is accepted or stored: a ticket is not even used."""
    port = scenario.server.port
    host = own_host(port)
    given = await credentials(scenario, owners, door)
    before = await counts(scenario)
    for headers, target in given:
        for origin in ORIGINS:
            lines = [f"Host: {host}", f"Origin: {origin.format(host=host)}"]
            status, body = await handshake(port, lines, headers, target)
            assert status == 403, (origin, headers, target)
            assert b"forbidden_origin" in body
        twice = [f"Host: {host}", f"Origin: http://{host}", "Origin: http://evil.example"]
        assert (await handshake(port, twice, headers, target))[0] in (400, 403)
        for site in ("cross-site", "same-site", "x"):
            across = [f"Host: {host}", f"Sec-Fetch-Site: {site}"]
            assert (await handshake(port, across, headers, target))[0] == 403
    assert await counts(scenario) == before
    told_by = list[int]()
    for headers, target in given:
        lines = [f"Host: {host}", f"Origin: http://{host}"]
        told_by.append((await handshake(port, lines, headers, target))[0])
    assert told_by == [door.anonymous, *[door.opened] * (len(given) - 1)]


@each_door
async def test_hosts_that_are_none(scenario: Scenario, owners: Owners, door: Door) -> None:
    port = scenario.server.port
    given = await credentials(scenario, owners, door)
    before = await counts(scenario)
    for headers, target in given:
        for host in HOSTS:
            for lines in ([f"Host: {host}"], [f"Host: {host}", f"Origin: http://{host}"]):
                status, _ = await handshake(port, lines, headers, target)
                assert status in (400, 403), (host, headers, target)
        for lines in ([], ["Host: a", "Host: b"], [f"Host: {own_host(port)}"] * 2):
            assert (await handshake(port, lines, headers, target))[0] in (400, 403), lines
    assert await counts(scenario) == before


@each_door
async def test_the_origin_of_another_host_is_not_ours(
    scenario: Scenario, owners: Owners, door: Door
) -> None:
    """Where a name leads to this machine that is not its own, no cookie and no ticket opens one."""
    [cookie] = [credentials_of(each) for each in owners.strangers if each.name == "B, signed in"]
    port = scenario.server.port
    path = door.path(owners.strangers[0].things)
    for name in (f"evil.example:{port}", "evil.example", f"127.0.0.1.evil.example:{port}"):
        crossed = [f"Host: {own_host(port)}", f"Origin: http://{name}"]
        assert (await handshake(port, crossed, cookie, path))[0] == 403
        secret = await ticket(scenario, owners.strangers[0])
        lines = [f"Host: {name}", f"Origin: http://{name}"]
        status, _ = await handshake(port, lines, {}, f"{path}?ticket={secret}")
        assert status == 401, name


@each_door
async def test_without_keys_only_this_machine_is_answered(shared: Serve, door: Door) -> None:
    scenario = shared(settings={"CARTRITA_AUTH": "loopback"})
    path = door.path({Kind.DESKTOP: [await own_desktop(scenario)]})
    port = scenario.server.port
    own = f"Host: {own_host(port)}"
    assert (await handshake(port, [f"Host: localhost:{port}"], {}, path))[0] == door.opened
    for host in ("evil.example", "localhost.evil.example", "10.0.0.1", "[::2]"):
        for lines in (
            [f"Host: {host}"],
            [f"Host: {host}:{port}", f"Origin: http://{host}:{port}"],
            [own, f"Origin: http://{host}:{port}"],
        ):
            assert (await handshake(port, lines, {}, path))[0] == 403, lines
    for forwarded in ("X-Forwarded-For: 127.0.0.1", "Forwarded: for=127.0.0.1"):
        assert (await handshake(port, [own, forwarded], {}, path))[0] == 403, forwarded

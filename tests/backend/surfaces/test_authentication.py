"""One function finds out who calls, whatever carries the credential and wherever it comes from."""

from collections.abc import Collection
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.requests import HTTPConnection

from cartrita.application.access.authentication import KeyAuthentication
from cartrita.application.access.login_sessions import LoginSessions
from cartrita.application.access.tickets import Tickets
from cartrita.application.keys.brought_keys import BroughtKeys
from cartrita.application.keys.known_keys import KnownKeys
from cartrita.application.keys.own_keys import BOOTSTRAP_ID, LOOPBACK_ID, OwnKeys
from cartrita.application.keys.provider_shapes import KeyShapes
from cartrita.domain.api_keys import KeyChanges, KeyFilter, StoredApiKey, Succession
from cartrita.domain.audit import Change
from cartrita.domain.errors import (
    CartritaError,
    Forbidden,
    Malformed,
    RateLimited,
    Unauthenticated,
)
from cartrita.domain.ids import RunId
from cartrita.domain.principals import LOCAL_OWNER, Principal
from cartrita.domain.tickets import Ticket
from cartrita.kit import ids
from cartrita.kit.secret import Secret
from cartrita.surfaces.authentication import AuthenticationMethod, Caller, authenticate
from cartrita.surfaces.inbound_limits import InboundLimits
from cartrita.surfaces.inbound_rates import InboundRate
from cartrita.surfaces.origins import require_event_source
from cartrita.surfaces.services import SurfaceConfig

KEY = "a-bootstrap-key-of-more-than-32-characters"
BROUGHT_KEY = "sk-of-a-caller"
OTHER = "another-key-of-more-than-32-characters-too"
HOST = "127.0.0.1:8000"
OWN = f"http://{HOST}"
LISTED = "http://localhost:3000"
FOREIGN = "http://localhost:4000"
ME = Principal(LOCAL_OWNER, BOOTSTRAP_ID, admin=True)


class FakeApiKeyStore:
    """No stored key: the bootstrap key is enough here."""

    async def get(self, key_id: str) -> StoredApiKey | None:
        return None

    async def get_many(self, key_ids: Collection[str]) -> list[StoredApiKey]:
        return []

    async def add(
        self, key: StoredApiKey, change: Change, replaces: Succession | None = None
    ) -> bool:
        return True

    async def change(self, key_id: str, changes: KeyChanges, change: Change) -> bool:
        return False

    async def page(
        self, which: KeyFilter, *, after: str | None = None, limit: int | None = None
    ) -> list[StoredApiKey]:
        return []


class FakeTicketStore:
    """Tickets in memory."""

    def __init__(self) -> None:
        self.fresh: dict[bytes, Ticket] = {}
        self.spent: dict[bytes, Ticket] = {}

    async def add(self, digest: bytes, ticket: Ticket) -> None:
        self.fresh[digest] = ticket

    async def use(self, digest: bytes, kind: str) -> Ticket | None:
        ticket = self.fresh.pop(digest, None)
        if ticket is not None:
            self.spent[digest] = ticket
        return ticket

    async def used(self, digest: bytes, kind: str) -> Ticket | None:
        return self.spent.get(digest)

    async def sweep(self) -> int:
        return 0


class Validator:
    """Accepts one key, everywhere."""

    async def accepts(self, provider: str, key: Secret) -> bool:
        return key == Secret(BROUGHT_KEY)


class AuthenticationFixture:
    """Everything that authentication asks."""

    def __init__(self, *, keyless: bool = False, **config: Any) -> None:
        store = FakeApiKeyStore()
        own = OwnKeys(store, KnownKeys(store), Secret("pepper"), Secret(KEY), keyless=keyless)
        brought = BroughtKeys(
            KeyShapes({"openai": ("sk-",), "elsewhere": ()}), Validator(), Secret("pepper")
        )
        self.keys = KeyAuthentication(own, brought)
        self.started: RunId | None = None
        self.login_sessions = LoginSessions(self.keys, Secret("signing"))
        self.tickets = Tickets(FakeTicketStore(), self.keys, self._find)
        self.limits = InboundLimits(
            [InboundRate("failed", 5, 60), InboundRate("anonymous", 2, 60)], {}
        )
        self.config = SurfaceConfig(keyless=keyless, cors_origins=(LISTED,), **config)

    async def _find(self, _: Ticket) -> tuple[RunId, datetime | None] | None:
        return None if self.started is None else (self.started, None)

    def connection(
        self,
        method: str = "GET",
        query: str = "",
        scheme: str = "http",
        peer: str = "127.0.0.1",
        **headers: str,
    ) -> HTTPConnection:
        sent = {"host": HOST, **{name.replace("_", "-"): v for name, v in headers.items()}}
        services = SimpleNamespace(
            key_authentication=self.keys,
            login_sessions=self.login_sessions,
            tickets=self.tickets,
        )
        scope: dict[str, Any] = {
            "type": "http",
            "method": method,
            "scheme": scheme,
            "client": (peer, 40000) if peer else None,
            "path": "/api/models",
            "query_string": query.encode(),
            "headers": [(name.encode(), value.encode()) for name, value in sent.items()],
            "state": {"services": services},
            "app": SimpleNamespace(
                state=SimpleNamespace(config=self.config, inbound_limits=self.limits)
            ),
        }
        return HTTPConnection(scope)

    async def ask(self, *, ticket: str | None = None, **request: str) -> Caller:
        return await authenticate(self.connection(**request), ticket=ticket)


@pytest.fixture
def fixture() -> AuthenticationFixture:
    return AuthenticationFixture()


@pytest.mark.parametrize(
    "headers",
    [
        {"x_api_key": KEY},
        {"x_api_key": f"  {KEY} "},
        {"authorization": f"Bearer {KEY}"},
        {"authorization": f"bearer  {KEY}"},
        {"authorization": f"Bearer {KEY}", "x_api_key": KEY},
        {"x_api_key": KEY, "cookie": "cartrita_session=stale"},
        {"x_api_key": KEY, "origin": FOREIGN},
    ],
)
async def test_a_key_in_any_header(fixture: AuthenticationFixture, headers: dict[str, str]) -> None:
    assert await fixture.ask(**headers) == Caller(ME, AuthenticationMethod.KEY)


@pytest.mark.parametrize(
    ("headers", "error"),
    [
        ({}, Unauthenticated),
        ({"x_api_key": ""}, Unauthenticated),
        ({"x_api_key": OTHER}, Unauthenticated),
        ({"x_api_key": KEY[:-1]}, Unauthenticated),
        ({"x_api_key": KEY + "x"}, Unauthenticated),
        ({"authorization": "Bearer"}, Unauthenticated),
        ({"authorization": f"Basic {KEY}"}, Malformed),
        ({"authorization": KEY}, Malformed),
        ({"authorization": f"Bearer {OTHER}", "x_api_key": KEY}, Malformed),
        ({"cookie": "cartrita_session="}, Unauthenticated),
        ({"cookie": "cartrita_session=made.up"}, Unauthenticated),
    ],
)
async def test_what_lets_nobody_in(
    fixture: AuthenticationFixture, headers: dict[str, str], error: type[CartritaError]
) -> None:
    with pytest.raises(error):
        await fixture.ask(**headers)


async def test_failures_look_alike(fixture: AuthenticationFixture) -> None:
    told: set[str] = set()
    for key in (OTHER, KEY[:-1], "ck_0123456789abcdef_" + "0" * 48 + "_00000000", "x"):
        with pytest.raises(Unauthenticated) as failure:
            await fixture.ask(x_api_key=key)
        told.add(f"{failure.value.code} {failure.value.message} {failure.value.details}")
    assert len(told) == 1


@pytest.mark.parametrize("name", ["api_key", "API-Key", "key", "token", "access_token", "apiKey"])
async def test_a_key_in_the_address_is_refused(fixture: AuthenticationFixture, name: str) -> None:
    with pytest.raises(Malformed) as told:
        await fixture.ask(query=f"message=x&{name}={KEY}", x_api_key=KEY)
    assert told.value.code == "key_in_query"
    assert KEY not in told.value.message
    assert await fixture.ask(query=f"message=x&{name}=", x_api_key=KEY)


async def test_a_header_that_comes_twice_is_read_twice(fixture: AuthenticationFixture) -> None:
    for name, prefix in ((b"x-api-key", b""), (b"authorization", b"Bearer ")):
        connection = fixture.connection()
        connection.scope["headers"] += [(name, prefix + KEY.encode())] * 2
        assert (await authenticate(connection)).principal == ME
        connection.scope["headers"] += [(name, prefix + OTHER.encode())]
        with pytest.raises(Malformed) as told:
            await authenticate(connection)
        assert told.value.code == "two_credentials"


async def test_a_session_reads(fixture: AuthenticationFixture) -> None:
    cookie = f"cartrita_session={await fixture.login_sessions.open(ME)}"
    assert await fixture.ask(cookie=cookie) == Caller(ME, AuthenticationMethod.COOKIE)
    assert await fixture.ask(cookie=cookie, origin=FOREIGN)  # which CORS keeps it from reading


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ({"origin": OWN}, True),
        ({"origin": LISTED}, True),
        ({"origin": OWN, "scheme": "https"}, False),
        ({"origin": f"https://{HOST}", "scheme": "https"}, True),
        ({}, False),
        ({"origin": FOREIGN}, False),
        ({"origin": "http://127.0.0.1"}, False),
        ({"origin": "http://127.0.0.1:80000"}, False),
        ({"origin": "null"}, False),
        ({"sec_fetch_site": "same-origin"}, False),
        ({"origin": f"{OWN}/"}, False),
    ],
)
async def test_a_session_acts_from_our_own_pages(
    fixture: AuthenticationFixture, headers: dict[str, str], allowed: bool
) -> None:
    cookie = f"cartrita_session={await fixture.login_sessions.open(ME)}"
    for method in ("POST", "DELETE", "PATCH"):
        if allowed:
            assert (await fixture.ask(method=method, cookie=cookie, **headers)).principal == ME
        else:
            with pytest.raises(Forbidden):
                await fixture.ask(method=method, cookie=cookie, **headers)


async def test_a_session_of_another_server_is_none(fixture: AuthenticationFixture) -> None:
    cookie = await AuthenticationFixture(keyless=True).login_sessions.open(
        Principal(LOCAL_OWNER, LOOPBACK_ID, admin=True)
    )
    with pytest.raises(Unauthenticated):
        await fixture.ask(cookie=f"cartrita_session={cookie}")


async def ticket(fixture: AuthenticationFixture, origin: str = OWN) -> str:
    return (await fixture.tickets.issue_stream_ticket(ME, origin)).reveal()


async def test_a_ticket_works_once(fixture: AuthenticationFixture) -> None:
    one = await ticket(fixture)
    caller = await fixture.ask(ticket=one, sec_fetch_site="same-origin")
    assert (caller.principal, caller.authenticated_by) == (ME, AuthenticationMethod.TICKET)
    assert caller.ticket is not None
    assert caller.ticket.client_msg_id
    with pytest.raises(Unauthenticated):
        await fixture.ask(ticket=one)


async def test_a_spent_ticket_comes_back_to_what_it_started(fixture: AuthenticationFixture) -> None:
    one = await ticket(fixture)
    first = await fixture.ask(ticket=one)
    fixture.started = RunId(ids.uuid7())
    assert await fixture.ask(ticket=one) == first  # cut before the first id had arrived
    assert await fixture.ask(ticket=one, last_event_id="run_x.3") == first


async def test_a_fresh_ticket_resumes_nothing(fixture: AuthenticationFixture) -> None:
    with pytest.raises(Unauthenticated):
        await fixture.ask(ticket=await ticket(fixture), last_event_id="run_x.3")


@pytest.mark.parametrize("headers", [{"origin": FOREIGN}, {"sec_fetch_site": "cross-site"}])
async def test_a_ticket_of_another_page_is_spent(
    fixture: AuthenticationFixture, headers: dict[str, str]
) -> None:
    one = await ticket(fixture)
    with pytest.raises(Unauthenticated):
        await fixture.ask(ticket=one, **headers)
    with pytest.raises(Unauthenticated):
        await fixture.ask(ticket=one)


async def test_a_ticket_and_another_key_are_two_credentials(fixture: AuthenticationFixture) -> None:
    with pytest.raises(Malformed):
        await fixture.ask(ticket=await ticket(fixture), x_api_key=KEY)
    cookie = f"cartrita_session={await fixture.login_sessions.open(ME)}"
    caller = await fixture.ask(ticket=await ticket(fixture), cookie=cookie)  # which comes by itself
    assert caller.authenticated_by is AuthenticationMethod.TICKET


LOCAL_PRINCIPAL = Caller(
    Principal(LOCAL_OWNER, LOOPBACK_ID, admin=True), AuthenticationMethod.LOOPBACK
)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"host": "localhost:8000"},
        {"host": "[::1]:8000"},
        {"host": "LOCALHOST"},
        {"host": "localhost:"},
        {"origin": OWN},
        {"origin": LISTED},
        {"sec_fetch_site": "none"},
        {"sec_fetch_site": "same-origin"},
    ],
)
async def test_without_keys_the_person_at_this_machine_comes_in(headers: dict[str, str]) -> None:
    assert await AuthenticationFixture(keyless=True).ask(**headers) == LOCAL_PRINCIPAL


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "rebound.example:8000"},
        {"host": "127.0.0.1.example"},
        {"host": "x@localhost.example"},
        {"host": ""},
        {"host": "[::1"},
        {"host": "x/health?"},
        {"host": "localhost/evil.example"},
        {"host": "localhost?.evil.example"},
        {"host": "localhost#.evil.example"},
        {"host": "localhost\\.evil.example"},
        {"host": "evil.example@localhost"},
        {"host": "localhost:80@evil.example"},
        {"host": "localhost:x"},
        {"host": "localhost."},
        {"host": "::1"},
        {"host": "localhost\n"},
        {"origin": FOREIGN},
        {"origin": "null"},
        {"origin": "https://127.0.0.1:8000"},
        {"sec_fetch_site": "same-site"},
        {"sec_fetch_site": "cross-site"},
    ],
)
async def test_without_keys_pages_elsewhere_stay_out(headers: dict[str, str]) -> None:
    with pytest.raises(Forbidden):
        await AuthenticationFixture(keyless=True).ask(**headers)


@pytest.mark.parametrize("name", ["host", "origin"])
@pytest.mark.parametrize("second", [OWN, FOREIGN])
async def test_without_keys_two_hosts_or_origins_stay_out(name: str, second: str) -> None:
    fixture = AuthenticationFixture(keyless=True)
    host = OWN.partition("://")[2]
    first, other = (OWN, second) if name == "origin" else (host, second.partition("://")[2])
    connection = fixture.connection(**{name: first})
    connection.scope["headers"].append((name.encode(), other.encode()))
    with pytest.raises(Forbidden):
        await authenticate(connection)


async def test_a_cookie_with_two_origins_stays_out(fixture: AuthenticationFixture) -> None:
    cookie = f"cartrita_session={await fixture.login_sessions.open(ME)}"
    sent = {"cookie": cookie, "origin": OWN, "accept": "text/event-stream"}
    connection = fixture.connection("POST", **sent)
    assert await authenticate(connection)
    require_event_source(connection)
    connection = fixture.connection("POST", **sent)
    connection.scope["headers"].append((b"origin", OWN.encode()))
    with pytest.raises(Forbidden):
        await authenticate(connection)
    with pytest.raises(Forbidden):
        require_event_source(connection)


@pytest.mark.parametrize("peer", ["127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1"])
async def test_without_keys_a_peer_on_this_machine_comes_in(peer: str) -> None:
    assert await AuthenticationFixture(keyless=True).ask(peer=peer) == LOCAL_PRINCIPAL


@pytest.mark.parametrize("peer", ["192.0.2.7", "2001:db8::1", "::ffff:192.0.2.7", "testclient", ""])
async def test_without_keys_a_peer_elsewhere_stays_out(peer: str) -> None:
    with pytest.raises(Forbidden) as told:
        await AuthenticationFixture(keyless=True).ask(peer=peer)
    assert told.value.code == "forbidden"
    assert (
        await AuthenticationFixture(keyless=True).ask(peer=peer, x_api_key=KEY)
    ).authenticated_by is AuthenticationMethod.KEY


@pytest.mark.parametrize(
    "name",
    ["forwarded", "x_forwarded_for", "X_Forwarded_Proto", "x_forwarded_host", "x_real_ip", "via"],
)
async def test_without_keys_what_a_proxy_brings_stays_out(name: str) -> None:
    with pytest.raises(Forbidden) as told:
        await AuthenticationFixture(keyless=True).ask(**{name: "127.0.0.1"})
    assert told.value.code == "forbidden"


@pytest.mark.parametrize("value", ["dummy", "not-needed", "test", "sk-x", "ck", "é", OTHER])
@pytest.mark.parametrize("header", ["x_api_key", "authorization"])
async def test_without_keys_what_cannot_be_a_key_is_none(header: str, value: str) -> None:
    keyless = AuthenticationFixture(keyless=True)
    sent = {header: f"Bearer {value}" if header == "authorization" else value}
    assert await keyless.ask(**sent) == LOCAL_PRINCIPAL
    for refused in ({"origin": FOREIGN}, {"host": "rebound.example"}, {"peer": "192.0.2.7"}):
        with pytest.raises(Forbidden):
            await keyless.ask(**sent, **refused)
    with pytest.raises(Unauthenticated):
        await AuthenticationFixture().ask(**sent)


async def test_without_keys_a_key_counts_beside_what_is_none() -> None:
    keyless = AuthenticationFixture(keyless=True)
    caller = await keyless.ask(x_api_key=KEY, authorization="Bearer dummy")
    assert caller.authenticated_by is AuthenticationMethod.KEY
    ticketed = await keyless.ask(ticket=await ticket(keyless), x_api_key="dummy")
    assert ticketed.authenticated_by is AuthenticationMethod.TICKET


async def test_without_keys_a_wrong_key_is_still_wrong() -> None:
    with pytest.raises(Unauthenticated):
        await AuthenticationFixture(keyless=True).ask(x_api_key="ck_mistyped")
    assert (
        await AuthenticationFixture(keyless=True).ask(x_api_key=KEY)
    ).authenticated_by is AuthenticationMethod.KEY


async def test_a_cookie_cannot_be_moved_to_another_owner(fixture: AuthenticationFixture) -> None:
    value = await fixture.login_sessions.open(ME)
    claims, _, signature = value.partition(".")
    forged = claims[:-2] + ("AA" if claims[-2:] != "AA" else "BB")
    with pytest.raises(Unauthenticated):
        await fixture.ask(cookie=f"cartrita_session={forged}.{signature}")
    assert await fixture.ask(cookie=f"cartrita_session={value}")


async def failures(fixture: AuthenticationFixture, **request: str) -> list[str]:
    """The codes that six wrong keys of one caller get."""
    told: list[str] = []
    for _ in range(6):
        with pytest.raises(CartritaError) as failure:
            await fixture.ask(x_api_key=OTHER, **request)
        told.append(failure.value.code)
    return told


async def test_an_address_with_many_invalid_keys_is_limited(fixture: AuthenticationFixture) -> None:
    assert await failures(fixture) == ["unauthenticated"] * 5 + ["rate_limited"]
    with pytest.raises(RateLimited) as told:
        await fixture.ask(ticket=await ticket(fixture))
    assert told.value.details == {"limit": "failed"}
    assert 0 < (told.value.retry_after or 0) <= 120
    assert await fixture.ask(ticket=await ticket(fixture), peer="192.0.2.7")


async def test_what_is_known_to_be_valid_works_from_a_limited_address(
    fixture: AuthenticationFixture,
) -> None:
    await failures(fixture)
    assert (await fixture.ask(x_api_key=KEY)).principal == ME
    cookie = f"cartrita_session={await fixture.login_sessions.open(ME)}"
    assert (await fixture.ask(cookie=cookie)).principal == ME


async def test_an_ipv6_network_is_one_address(fixture: AuthenticationFixture) -> None:
    assert await failures(fixture, peer="2001:db8::1") == ["unauthenticated"] * 5 + ["rate_limited"]
    with pytest.raises(RateLimited):
        await fixture.ask(x_api_key=OTHER, peer="2001:db8::ffff:1")
    with pytest.raises(Unauthenticated):
        await fixture.ask(x_api_key=OTHER, peer="2001:db8:0:1::1")


async def test_callers_without_a_credential_are_limited(fixture: AuthenticationFixture) -> None:
    told: list[str] = []
    for _ in range(3):
        with pytest.raises(CartritaError) as failure:
            await fixture.ask()
        told.append(failure.value.code)
    assert told == ["unauthenticated", "unauthenticated", "rate_limited"]
    assert await fixture.ask(x_api_key=KEY)


def bringing(
    byok: str = "loopback", *, loopback: bool = True, **more: Any
) -> AuthenticationFixture:
    return AuthenticationFixture(byok=byok, loopback=loopback, **more)


async def test_a_providers_key_is_an_owner_that_may_use_the_provider() -> None:
    fixture = bringing()
    caller = await fixture.ask(x_api_key=BROUGHT_KEY)
    assert caller == await fixture.ask(authorization=f"Bearer {BROUGHT_KEY}")
    assert caller.principal.owner_id.startswith("byok:")
    assert (caller.principal.scopes.providers, caller.principal.admin) == (("openai",), False)
    assert caller.principal.tenant_id == caller.principal.owner_id


async def test_whose_key_it_is_can_be_told() -> None:
    fixture = bringing()
    for how in ({"x_cartrita_provider": "elsewhere"}, {"query": "provider=elsewhere"}):
        caller = await fixture.ask(x_api_key=BROUGHT_KEY, **how)
        assert caller.principal.scopes.providers == ("elsewhere",)
    with pytest.raises(Unauthenticated):
        await fixture.ask(x_api_key=BROUGHT_KEY, x_cartrita_provider="nowhere")


@pytest.mark.parametrize(
    ("config", "request_"),
    [
        ({"byok": "off"}, {}),
        ({"loopback": False}, {}),
        ({}, {"peer": "192.0.2.7"}),
        ({}, {"peer": ""}),
        ({}, {"x_forwarded_for": "127.0.0.1"}),
        ({}, {"via": "1.1 proxy"}),
    ],
)
async def test_a_providers_key_from_elsewhere_is_no_key(
    config: dict[str, Any], request_: dict[str, str]
) -> None:
    with pytest.raises(Unauthenticated) as refused:
        await bringing(**config).ask(x_api_key=BROUGHT_KEY, **request_)
    with pytest.raises(Unauthenticated) as unknown:
        await bringing().ask(x_api_key="sk-of-nobody")
    assert refused.value.message == unknown.value.message


async def test_everybody_may_bring_one_where_it_is_on() -> None:
    fixture = bringing("on", loopback=False)
    for peer in ("192.0.2.7", "127.0.0.1"):
        assert (await fixture.ask(x_api_key=BROUGHT_KEY, peer=peer)).principal


async def test_a_known_providers_key_works_from_a_limited_address() -> None:
    fixture = bringing()
    await fixture.ask(x_api_key=BROUGHT_KEY)
    await failures(fixture)
    assert await fixture.ask(x_api_key=BROUGHT_KEY)
    with pytest.raises(RateLimited):
        await fixture.ask(x_api_key=f"{BROUGHT_KEY}x")


async def test_without_keys_a_providers_key_is_none() -> None:
    fixture = AuthenticationFixture(keyless=True, byok="on", loopback=True)
    assert (await fixture.ask(x_api_key=BROUGHT_KEY)).principal.owner_id == LOCAL_OWNER


async def test_older_frontends_may_send_a_key_in_the_address() -> None:
    fixture = bringing(legacy_query_keys=True)
    for query in (f"api_key={KEY}", f"x-api-key={KEY}&api_key={KEY}", f"token={KEY}"):
        assert (await fixture.ask(query=query)).principal == ME
    assert (await fixture.ask(query=f"api_key={BROUGHT_KEY}")).principal.scopes.limited
    for query, error in ((f"api_key={KEY}&token={OTHER}", Malformed), ("key=x", Unauthenticated)):
        with pytest.raises(error):
            await fixture.ask(query=query)
    for elsewhere in ({"peer": "192.0.2.7"}, {"forwarded": "for=127.0.0.1"}):
        with pytest.raises(Malformed) as refused:
            await fixture.ask(query=f"api_key={KEY}", **elsewhere)
        assert refused.value.code == "key_in_query"

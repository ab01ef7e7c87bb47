"""Sessions, sign-in codes and stream tickets: what opens, how often, how long, and from where."""

import base64
import re
from collections.abc import AsyncGenerator, Awaitable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from tests.harness.database import TemporaryDatabase
from tests.harness.rows import ANN, stored_branch, stored_conversation, stored_run

from cartrita.adapters.persistence.api_keys import ApiKeyTable
from cartrita.adapters.persistence.database import Database
from cartrita.adapters.persistence.tickets import TicketTable
from cartrita.application.api_keys import ApiKeys
from cartrita.application.sessions import RESUME_WINDOW, Sessions
from cartrita.domain.errors import Unauthenticated
from cartrita.domain.principals import LOCAL_OWNER, Principal
from cartrita.kit import clock
from cartrita.kit.secret import Secret

PAGE = "http://localhost:8000"
BOOTSTRAP = Secret("a bootstrap key of at least 32 characters")
SECOND = timedelta(seconds=1)


@dataclass
class AuthenticationFixture:
    """Everything on one database, with a clock that can be set."""

    pool: Database
    dsn: str
    ahead: timedelta = timedelta(0)

    def now(self) -> datetime:
        return clock.now() + self.ahead

    def keys(self, bootstrap: Secret | None = BOOTSTRAP) -> ApiKeys:
        return ApiKeys(ApiKeyTable(self.pool), Secret("pepper"), bootstrap, cache_s=0, now=self.now)

    def sessions(self, keys: ApiKeys, signing_key: str = "signing") -> Sessions:
        tickets = TicketTable(self.pool)
        return Sessions(tickets, keys, Secret(signing_key), tickets.started, now=self.now)

    async def started(self, client_msg_id: str | None, *, ended_ago: timedelta | None) -> UUID:
        talk = await stored_conversation(self.pool)
        [message] = await stored_branch(self.pool, talk, "hello")
        return await stored_run(
            self.dsn,
            talk,
            message.id,
            status="running" if ended_ago is None else "completed",
            client_msg_id=client_msg_id,
            ended_ago=ended_ago or timedelta(0),
        )


@pytest.fixture
async def fixture(database: TemporaryDatabase) -> AsyncGenerator[AuthenticationFixture]:
    pool = Database(database.dsn, pool_size=2)
    yield AuthenticationFixture(pool, database.dsn)
    await pool.close()


@pytest.fixture
def keys(fixture: AuthenticationFixture) -> ApiKeys:
    return fixture.keys()


@pytest.fixture
def sessions(fixture: AuthenticationFixture, keys: ApiKeys) -> Sessions:
    return fixture.sessions(keys)


@pytest.fixture
async def me(keys: ApiKeys) -> Principal:
    key, _ = await keys.create(ANN, "mine")
    return Principal(ANN, key.id)


async def refused(*tries: Awaitable[object]) -> None:
    stored_message: set[str] = set()
    for trying in tries:
        with pytest.raises(Unauthenticated) as refusal:
            await trying
        stored_message.add(refusal.value.message)
    assert len(stored_message) == 1


async def test_a_session_is_the_key_that_opened_it(sessions: Sessions, me: Principal) -> None:
    cookie = await sessions.open(me)
    assert re.fullmatch(r"[A-Za-z0-9_.-]+", cookie)
    assert await sessions.authenticate(cookie) == me
    assert await sessions.authenticate(cookie) == me


async def test_a_tampered_cookie_opens_nothing(
    sessions: Sessions, fixture: AuthenticationFixture, me: Principal
) -> None:
    cookie = await sessions.open(me)
    claims, signature = cookie.split(".")
    forged = base64.urlsafe_b64encode(b'["local","bootstrap",9999999999,"x"]').decode().rstrip("=")
    other = await fixture.sessions(fixture.keys(), "another").open(me)
    for n in range(len(cookie)):
        wrong = cookie[:n] + ("A" if cookie[n] != "A" else "B") + cookie[n + 1 :]
        await refused(sessions.authenticate(wrong))
    await refused(
        *(
            sessions.authenticate(wrong)
            for wrong in (
                "",
                ".",
                claims,
                f"{claims}.",
                f".{signature}",
                f"{forged}.{signature}",
                f"{cookie}.x",
                f"{cookie}=",
                other,
                "\ud800.\ud800",
                "é.é",
            )
        )
    )


async def test_a_session_ends(
    sessions: Sessions, fixture: AuthenticationFixture, me: Principal
) -> None:
    cookie = await sessions.open(me)
    fixture.ahead = timedelta(hours=12) - SECOND * 30
    assert await sessions.authenticate(cookie) == me
    fixture.ahead = timedelta(hours=12)
    await refused(sessions.authenticate(cookie), sessions.authenticate("nonsense"))


async def test_a_session_ends_with_its_key(
    sessions: Sessions, keys: ApiKeys, fixture: AuthenticationFixture, me: Principal
) -> None:
    cookie = await sessions.open(me)
    await keys.revoke(me.key_id)
    await refused(
        sessions.authenticate(cookie), sessions.open(me), sessions.authenticate("nonsense")
    )
    key, _ = await keys.create(ANN, "short", fixture.now() + timedelta(hours=1))
    cookie = await sessions.open(Principal(ANN, key.id))
    fixture.ahead = timedelta(hours=1)
    await refused(sessions.authenticate(cookie))


async def test_a_session_ends_with_the_configured_key(fixture: AuthenticationFixture) -> None:
    local = Principal(LOCAL_OWNER, "bootstrap")
    cookie = await fixture.sessions(fixture.keys()).open(local)
    assert await fixture.sessions(fixture.keys()).authenticate(cookie) == local
    removed = fixture.sessions(fixture.keys(bootstrap=None))
    replaced = fixture.sessions(fixture.keys(Secret("another bootstrap key of 32 characters")))
    await refused(removed.authenticate(cookie), replaced.authenticate(cookie))


async def test_a_code_signs_in_once(sessions: Sessions, me: Principal) -> None:
    code = await sessions.issue_code(me)
    assert len(code.reveal()) > 40
    assert str(code) == "***"
    assert await sessions.redeem_code(code.reveal()) == me
    await refused(
        *(sessions.redeem_code(text) for text in (code.reveal(), "", "\ud800", "x" * 9999))
    )


async def test_a_code_is_good_for_ten_minutes(
    sessions: Sessions, fixture: AuthenticationFixture, me: Principal
) -> None:
    fixture.ahead = -timedelta(minutes=9, seconds=30)
    code = await sessions.issue_code(me)
    fixture.ahead = -timedelta(minutes=10)
    late = await sessions.issue_code(me)
    assert await sessions.redeem_code(code.reveal()) == me
    await refused(sessions.redeem_code(late.reveal()))


async def test_a_code_ends_with_its_key(sessions: Sessions, keys: ApiKeys, me: Principal) -> None:
    code = await sessions.issue_code(me)
    await keys.revoke(me.key_id)
    await refused(sessions.redeem_code(code.reveal()))


async def test_a_ticket_starts_one_stream(sessions: Sessions, me: Principal) -> None:
    secret = await sessions.issue_ticket(me, PAGE)
    other = await sessions.issue_ticket(me, PAGE)
    ticket = await sessions.use_ticket(secret.reveal(), PAGE)
    assert ticket.principal == me
    assert ticket.client_msg_id
    assert ticket.client_msg_id != (await sessions.use_ticket(other.reveal(), PAGE)).client_msg_id
    await refused(
        sessions.use_ticket(secret.reveal(), PAGE),  # a replay
        sessions.use_ticket("nonsense", PAGE),
    )


async def test_codes_and_tickets_are_not_each_other(sessions: Sessions, me: Principal) -> None:
    code = await sessions.issue_code(me)
    ticket = await sessions.issue_ticket(me, None)
    await refused(sessions.use_ticket(code.reveal(), None))
    await refused(sessions.redeem_code(ticket.reveal()))
    assert await sessions.redeem_code(code.reveal()) == me
    assert (await sessions.use_ticket(ticket.reveal(), None)).principal == me


@pytest.mark.parametrize(
    "origin", ["http://localhost:8001", "https://localhost:8000", "null", None]
)
async def test_a_ticket_from_elsewhere_is_spent(
    sessions: Sessions, me: Principal, origin: str | None
) -> None:
    secret = (await sessions.issue_ticket(me, PAGE)).reveal()
    await refused(sessions.use_ticket(secret, origin), sessions.use_ticket(secret, PAGE))


async def test_a_ticket_is_good_for_a_minute(
    sessions: Sessions, fixture: AuthenticationFixture, me: Principal
) -> None:
    fixture.ahead = -timedelta(seconds=30)
    good = (await sessions.issue_ticket(me, PAGE)).reveal()
    fixture.ahead = -timedelta(seconds=60)
    late = (await sessions.issue_ticket(me, PAGE)).reveal()
    assert await sessions.use_ticket(good, PAGE)
    await refused(sessions.use_ticket(late, PAGE))


async def test_a_ticket_ends_with_its_key(sessions: Sessions, keys: ApiKeys, me: Principal) -> None:
    secret = (await sessions.issue_ticket(me, PAGE)).reveal()
    await keys.revoke(me.key_id)
    await refused(sessions.use_ticket(secret, PAGE))


async def test_a_spent_ticket_resumes_its_run(
    sessions: Sessions, fixture: AuthenticationFixture, me: Principal
) -> None:
    secret = (await sessions.issue_ticket(me, PAGE)).reveal()
    await refused(sessions.resume_ticket(secret, PAGE))  # not spent yet
    ticket = await sessions.use_ticket(secret, PAGE)
    await refused(sessions.resume_ticket(secret, PAGE))  # it has started nothing
    assert await sessions.run_started_by(ticket) is None
    run_id = await fixture.started(ticket.client_msg_id, ended_ago=None)
    fixture.ahead = timedelta(days=1)  # however long the run takes
    resumed = await sessions.resume_ticket(secret, PAGE)
    assert resumed == ticket
    assert await sessions.run_started_by(resumed) == run_id
    await refused(
        sessions.resume_ticket(secret, "http://localhost:8001"),
        sessions.resume_ticket(secret, None),
        sessions.resume_ticket("nonsense", PAGE),
    )
    assert await sessions.resume_ticket(secret, PAGE) == ticket  # as often as it takes


@pytest.mark.parametrize(
    ("ended_ago", "works"), [(RESUME_WINDOW - 30 * SECOND, True), (RESUME_WINDOW, False)]
)
async def test_a_run_is_resumed_until_ten_minutes_after_its_end(
    sessions: Sessions,
    fixture: AuthenticationFixture,
    me: Principal,
    ended_ago: timedelta,
    works: bool,
) -> None:
    secret = (await sessions.issue_ticket(me, PAGE)).reveal()
    ticket = await sessions.use_ticket(secret, PAGE)
    await fixture.started(ticket.client_msg_id, ended_ago=ended_ago)
    if works:
        assert await sessions.resume_ticket(secret, PAGE) == ticket
    else:
        await refused(sessions.resume_ticket(secret, PAGE))


async def test_a_revoked_key_resumes_nothing(
    sessions: Sessions, keys: ApiKeys, fixture: AuthenticationFixture, me: Principal
) -> None:
    secret = (await sessions.issue_ticket(me, PAGE)).reveal()
    ticket = await sessions.use_ticket(secret, PAGE)
    await fixture.started(ticket.client_msg_id, ended_ago=None)
    await keys.revoke(me.key_id)
    await refused(sessions.resume_ticket(secret, PAGE))

"""Sign-in codes and stream tickets: how often they work, how long, and from where."""

from datetime import timedelta

import pytest
from tests.backend.application.authentication_fixture import AuthenticationFixture, refused

from cartrita.application.access.authentication import KeyAuthentication
from cartrita.application.access.tickets import RESUME_WINDOW, Tickets
from cartrita.domain.principals import Principal

PAGE = "http://localhost:8000"
SECOND = timedelta(seconds=1)


@pytest.fixture
def tickets(authentication: AuthenticationFixture, keys: KeyAuthentication) -> Tickets:
    return authentication.tickets(keys)


async def test_a_code_signs_in_once(tickets: Tickets, me: Principal) -> None:
    code = await tickets.issue_sign_in_code(me)
    assert len(code.reveal()) > 40
    assert str(code) == "***"
    assert await tickets.use_sign_in_code(code.reveal()) == me
    await refused(
        *(tickets.use_sign_in_code(text) for text in (code.reveal(), "", "\ud800", "x" * 9999))
    )


async def test_a_code_is_good_for_ten_minutes(
    tickets: Tickets, authentication: AuthenticationFixture, me: Principal
) -> None:
    authentication.ahead = -timedelta(minutes=9, seconds=30)
    code = await tickets.issue_sign_in_code(me)
    authentication.ahead = -timedelta(minutes=10)
    late = await tickets.issue_sign_in_code(me)
    assert await tickets.use_sign_in_code(code.reveal()) == me
    await refused(tickets.use_sign_in_code(late.reveal()))


async def test_a_code_ends_with_its_key(
    authentication: AuthenticationFixture, tickets: Tickets, keys: KeyAuthentication, me: Principal
) -> None:
    code = await tickets.issue_sign_in_code(me)
    await authentication.revoke(me.key_id)
    await refused(tickets.use_sign_in_code(code.reveal()))


async def test_a_ticket_starts_one_stream(tickets: Tickets, me: Principal) -> None:
    secret = await tickets.issue_stream_ticket(me, PAGE)
    other = await tickets.issue_stream_ticket(me, PAGE)
    ticket = await tickets.use_stream_ticket(secret.reveal(), PAGE)
    assert ticket.principal == me
    assert ticket.client_msg_id
    assert (
        ticket.client_msg_id
        != (await tickets.use_stream_ticket(other.reveal(), PAGE)).client_msg_id
    )
    await refused(
        tickets.use_stream_ticket(secret.reveal(), PAGE),  # a replay
        tickets.use_stream_ticket("nonsense", PAGE),
    )


async def test_codes_and_tickets_are_not_each_other(tickets: Tickets, me: Principal) -> None:
    code = await tickets.issue_sign_in_code(me)
    ticket = await tickets.issue_stream_ticket(me, None)
    await refused(tickets.use_stream_ticket(code.reveal(), None))
    await refused(tickets.use_sign_in_code(ticket.reveal()))
    assert await tickets.use_sign_in_code(code.reveal()) == me
    assert (await tickets.use_stream_ticket(ticket.reveal(), None)).principal == me


@pytest.mark.parametrize(
    "origin", ["http://localhost:8001", "https://localhost:8000", "null", None]
)
async def test_a_ticket_from_elsewhere_is_spent(
    tickets: Tickets, me: Principal, origin: str | None
) -> None:
    secret = (await tickets.issue_stream_ticket(me, PAGE)).reveal()
    await refused(
        tickets.use_stream_ticket(secret, origin), tickets.use_stream_ticket(secret, PAGE)
    )


async def test_a_ticket_is_good_for_a_minute(
    tickets: Tickets, authentication: AuthenticationFixture, me: Principal
) -> None:
    authentication.ahead = -timedelta(seconds=30)
    good = (await tickets.issue_stream_ticket(me, PAGE)).reveal()
    authentication.ahead = -timedelta(seconds=60)
    late = (await tickets.issue_stream_ticket(me, PAGE)).reveal()
    assert await tickets.use_stream_ticket(good, PAGE)
    await refused(tickets.use_stream_ticket(late, PAGE))


async def test_a_ticket_ends_with_its_key(
    authentication: AuthenticationFixture, tickets: Tickets, keys: KeyAuthentication, me: Principal
) -> None:
    secret = (await tickets.issue_stream_ticket(me, PAGE)).reveal()
    await authentication.revoke(me.key_id)
    await refused(tickets.use_stream_ticket(secret, PAGE))


async def test_a_spent_ticket_resumes_its_run(
    tickets: Tickets, authentication: AuthenticationFixture, me: Principal
) -> None:
    secret = (await tickets.issue_stream_ticket(me, PAGE)).reveal()
    await refused(tickets.resume_stream_ticket(secret, PAGE))  # not spent yet
    ticket = await tickets.use_stream_ticket(secret, PAGE)
    await refused(tickets.resume_stream_ticket(secret, PAGE))  # it has started nothing
    assert await tickets.run_started_by(ticket) is None
    run_id = await authentication.started(ticket.client_msg_id, ended_ago=None)
    authentication.ahead = timedelta(days=1)  # however long the run takes
    resumed = await tickets.resume_stream_ticket(secret, PAGE)
    assert resumed == ticket
    assert await tickets.run_started_by(resumed) == run_id
    await refused(
        tickets.resume_stream_ticket(secret, "http://localhost:8001"),
        tickets.resume_stream_ticket(secret, None),
        tickets.resume_stream_ticket("nonsense", PAGE),
    )
    assert await tickets.resume_stream_ticket(secret, PAGE) == ticket  # as often as it takes


@pytest.mark.parametrize(
    ("ended_ago", "works"), [(RESUME_WINDOW - 30 * SECOND, True), (RESUME_WINDOW, False)]
)
async def test_a_run_is_resumed_until_ten_minutes_after_its_end(
    tickets: Tickets,
    authentication: AuthenticationFixture,
    me: Principal,
    ended_ago: timedelta,
    works: bool,
) -> None:
    secret = (await tickets.issue_stream_ticket(me, PAGE)).reveal()
    ticket = await tickets.use_stream_ticket(secret, PAGE)
    await authentication.started(ticket.client_msg_id, ended_ago=ended_ago)
    if works:
        assert await tickets.resume_stream_ticket(secret, PAGE) == ticket
    else:
        await refused(tickets.resume_stream_ticket(secret, PAGE))


async def test_a_revoked_key_resumes_nothing(
    tickets: Tickets, keys: KeyAuthentication, authentication: AuthenticationFixture, me: Principal
) -> None:
    secret = (await tickets.issue_stream_ticket(me, PAGE)).reveal()
    ticket = await tickets.use_stream_ticket(secret, PAGE)
    await authentication.started(ticket.client_msg_id, ended_ago=None)
    await authentication.revoke(me.key_id)
    await refused(tickets.resume_stream_ticket(secret, PAGE))

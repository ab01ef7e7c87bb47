"""Login sessions: what opens one, how long it lasts, and what ends it."""

import base64
import re
from datetime import timedelta

import pytest
from tests.backend.application.authentication_fixture import AuthenticationFixture, refused
from tests.harness.rows import ANN

from cartrita.application.access.authentication import KeyAuthentication
from cartrita.application.access.login_sessions import LoginSessions
from cartrita.domain.principals import LOCAL_OWNER, Principal
from cartrita.kit.secret import Secret

SECOND = timedelta(seconds=1)


@pytest.fixture
def sessions(authentication: AuthenticationFixture, keys: KeyAuthentication) -> LoginSessions:
    return authentication.login_sessions(keys)


async def test_a_session_is_the_key_that_opened_it(sessions: LoginSessions, me: Principal) -> None:
    cookie = await sessions.open(me)
    assert re.fullmatch(r"[A-Za-z0-9_.-]+", cookie)
    assert await sessions.authenticate(cookie) == me
    assert await sessions.authenticate(cookie) == me


async def test_a_tampered_cookie_opens_nothing(
    sessions: LoginSessions, authentication: AuthenticationFixture, me: Principal
) -> None:
    cookie = await sessions.open(me)
    claims, signature = cookie.split(".")
    forged = base64.urlsafe_b64encode(b'["local","bootstrap",9999999999,"x"]').decode().rstrip("=")
    other = await authentication.login_sessions(authentication.keys(), "another").open(me)
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
    sessions: LoginSessions, authentication: AuthenticationFixture, me: Principal
) -> None:
    cookie = await sessions.open(me)
    authentication.ahead = timedelta(hours=12) - SECOND * 30
    assert await sessions.authenticate(cookie) == me
    authentication.ahead = timedelta(hours=12)
    await refused(sessions.authenticate(cookie), sessions.authenticate("nonsense"))


async def test_a_session_ends_with_its_key(
    sessions: LoginSessions,
    keys: KeyAuthentication,
    authentication: AuthenticationFixture,
    me: Principal,
) -> None:
    cookie = await sessions.open(me)
    await authentication.revoke(me.key_id)
    await refused(
        sessions.authenticate(cookie), sessions.open(me), sessions.authenticate("nonsense")
    )
    key = await authentication.created(ANN, authentication.now() + timedelta(hours=1))
    cookie = await sessions.open(Principal(ANN, key.id))
    authentication.ahead = timedelta(hours=1)
    await refused(sessions.authenticate(cookie))


async def test_a_session_ends_with_the_configured_key(
    authentication: AuthenticationFixture,
) -> None:
    local = Principal(LOCAL_OWNER, "bootstrap", admin=True)
    cookie = await authentication.login_sessions(authentication.keys()).open(local)
    assert await authentication.login_sessions(authentication.keys()).authenticate(cookie) == local
    removed = authentication.login_sessions(authentication.keys(bootstrap=None))
    replaced = authentication.login_sessions(
        authentication.keys(Secret("another bootstrap key of 32 characters"))
    )
    await refused(removed.authenticate(cookie), replaced.authenticate(cookie))

"""Services are called by what the caller may, in turn, with the key of whoever pays."""

import asyncio

import pytest
from tests.backend.fake_services import OWN, SHARED, Calls, FakeService, Paying, principal
from tests.backend.gateway.virtual_time import VirtualTime

from cartrita.domain.credentials import CallCredential
from cartrita.domain.errors import (
    Forbidden,
    NotFound,
    RateLimited,
    Unavailable,
    UpstreamAuth,
    UpstreamCut,
    UpstreamError,
    UpstreamLimited,
    UpstreamOverloaded,
    UpstreamQuota,
    UpstreamUnreachable,
)
from cartrita.domain.scopes import Scopes
from cartrita.gateway.limiting import Limiter
from cartrita.gateway.paid_providers import CredentialEnded, CredentialUses
from cartrita.gateway.service_calls import ServiceCalls
from cartrita.kit.secret import Secret


def failure(kind: type[UpstreamError], **values: float) -> UpstreamError:
    return kind("It failed.", provider="tavily", status=500, **values)  # pyright: ignore[reportArgumentType]


async def test_who_pays() -> None:
    fake, service = Calls(), FakeService("tavily", "key-of-the-server")
    fake.paying.of_owners = {"ann": {"tavily": OWN}, "bob": {"tavily": SHARED}}
    for owner, key in (
        ("ann", "key-of-ann"),
        ("bob", "key-of-acme"),
        ("cid", "key-of-the-server"),
    ):
        assert await fake.calls.ask(principal(owner), service, FakeService.call) == key
    assert not fake.uses.credential_ids


async def test_a_service_that_needs_a_key() -> None:
    fake, service = Calls(), FakeService("brave", needs_key=True)
    with pytest.raises(NotFound, match="BRAVE_API_KEY") as caught:
        await fake.calls.ask(principal(), service, FakeService.call)
    assert caught.value.code == "provider_not_configured"
    assert not await fake.calls.paid_by(principal(), service)
    fake.paying.of_owners = {"ann": {"brave": OWN}}
    assert await fake.calls.paid_by(principal(), service)
    assert await fake.calls.ask(principal(), service, FakeService.call) == "key-of-ann"


async def test_the_scope_of_the_provider() -> None:
    fake, service = Calls(), FakeService("tavily")
    with pytest.raises(Forbidden, match="tavily"):
        await fake.calls.ask(
            principal(scopes=Scopes(providers=("openai",))), service, FakeService.call
        )
    assert service.asked == []


async def test_a_credential_that_cannot_be_read() -> None:
    fake, service = Calls(), FakeService("tavily")
    fake.paying.of_owners = {"ann": {"tavily": CallCredential("own", Secret(""))}}
    with pytest.raises(Unavailable):
        await fake.calls.ask(principal(), service, FakeService.call)


@pytest.mark.parametrize("kind", [UpstreamAuth, UpstreamQuota])
async def test_only_its_owner_is_told_that_a_credential_is_refused(
    kind: type[UpstreamError],
) -> None:
    fake, service = Calls(), FakeService("tavily")
    fake.paying.of_owners = {"ann": {"tavily": OWN}, "bob": {"tavily": SHARED}}
    for owner, own in (("ann", True), ("bob", False), ("cid", False)):
        service.failures = [failure(kind)]
        with pytest.raises(kind) as caught:
            await fake.calls.ask(principal(owner), service, FakeService.call)
        assert caught.value.callers_own is own


@pytest.mark.parametrize(
    ("failed", "calls"),
    [
        (failure(UpstreamOverloaded), 2),
        (failure(UpstreamCut), 2),
        (failure(UpstreamLimited, retry_after=3600.0), 1),
        (failure(UpstreamLimited), 1),
        (failure(UpstreamUnreachable), 1),
        (failure(UpstreamAuth), 1),
        (failure(UpstreamOverloaded, retryable=False), 1),
    ],
)
async def test_what_fails_in_passing_is_tried_twice(failed: UpstreamError, calls: int) -> None:
    fake, service = Calls(), FakeService("brave", "key")
    service.failures = [failed]
    if calls == 2:
        assert await fake.calls.ask(principal(), service, FakeService.call) == "key"
    else:
        with pytest.raises(type(failed)):
            await fake.calls.ask(principal(), service, FakeService.call)
    assert len(service.asked) == calls


async def test_a_short_pause_is_waited_for_in_the_queue() -> None:
    time, service = VirtualTime(), FakeService("brave", "key")
    limiter = Limiter(clock=time.clock, later=time.later)
    calls = ServiceCalls(limiter, Paying(), CredentialUses(), sleep=lambda _: asyncio.sleep(0))
    service.failures = [failure(UpstreamLimited, retry_after=5.0)]
    asked = asyncio.get_running_loop().create_task(
        calls.ask(principal(), service, FakeService.call)
    )
    await time.advance(4.9)
    assert not asked.done()
    await time.advance(0.2)
    assert await asked == "key"
    assert len(service.asked) == 2


async def test_what_fails_twice_is_told() -> None:
    fake, service = Calls(), FakeService("tavily")
    service.failures = [failure(UpstreamOverloaded), failure(UpstreamCut)]
    with pytest.raises(UpstreamCut):
        await fake.calls.ask(principal(), service, FakeService.call)


async def test_the_limit_of_the_provider_is_that_of_each_credential() -> None:
    fake, service = Calls(requests=1), FakeService("tavily")
    fake.paying.of_owners = {"ann": {"tavily": OWN}}
    for owner in ("ann", "bob"):
        await fake.calls.ask(principal(owner), service, FakeService.call)
        with pytest.raises(RateLimited):
            await fake.calls.ask(principal(owner), service, FakeService.call)


async def test_a_call_is_cut_when_its_credential_ends() -> None:
    fake, service = Calls(), FakeService("tavily")
    fake.paying.of_owners = {"ann": {"tavily": OWN}}
    begun = asyncio.Event()

    async def hang() -> None:
        begun.set()
        await asyncio.Event().wait()

    service.waits = hang
    asked = asyncio.get_running_loop().create_task(
        fake.calls.ask(principal(), service, FakeService.call)
    )
    await begun.wait()
    assert fake.uses.cut(["own"]) == 1
    with pytest.raises(CredentialEnded):
        await asked

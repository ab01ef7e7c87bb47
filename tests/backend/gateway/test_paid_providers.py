"""Calls that a caller's credential pays: with which key, whose error, and how they are cut."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager

import pytest
from tests.backend.gateway.fakes import DONE, REQUEST, ListingProvider, answer_to, call

from cartrita.domain.credentials import (
    NO_CREDENTIALS,
    CallCredential,
    CredentialsByProvider,
    Payer,
)
from cartrita.domain.deltas import Delta, TextDelta
from cartrita.domain.errors import (
    NotFound,
    Unavailable,
    UpstreamAuth,
    UpstreamError,
    UpstreamLimited,
    UpstreamOverloaded,
    UpstreamQuota,
)
from cartrita.domain.models import ModelInfo
from cartrita.domain.ports.providers import RelayResponse
from cartrita.domain.relays import RelayRequest
from cartrita.domain.requests import ModelRequest
from cartrita.gateway.catalog import Catalog, ProviderEntry, ProviderOrigin
from cartrita.gateway.gateway import Gateway
from cartrita.gateway.paid_providers import CredentialEnded, CredentialUses, PaidProvider
from cartrita.gateway.retry import RetryPolicy
from cartrita.gateway.routes import Deployment, Route, Target
from cartrita.kit.secret import Secret

OWN = CallCredential("own", Secret("key-of-ann"))
SHARED = CallCredential("shared", Secret("key-of-acme"), shared=True)
ANN = Payer("local", "ann")


class KeyedProvider:
    """Answers with the key that it is called with; `failing` has the errors of some keys."""

    dialects = frozenset[str]()

    def __init__(self, name: str = "openai", key: str = "key-of-the-server") -> None:
        self.name = name
        self.key = key
        self.failing: dict[str, UpstreamError] = {}
        self.hangs = False

    def with_key(self, key: Secret) -> "KeyedProvider":
        other = KeyedProvider(self.name, key.reveal())
        other.failing = self.failing
        other.hangs = self.hangs
        return other

    async def models(self) -> list[ModelInfo]:
        return [ModelInfo(self.name, "m")]

    @asynccontextmanager
    async def stream(self, request: ModelRequest) -> AsyncGenerator[AsyncIterator[Delta]]:
        if self.key in self.failing:
            raise self.failing[self.key]
        yield self._deltas()

    async def _deltas(self) -> AsyncGenerator[Delta]:
        yield TextDelta(self.key)
        if self.hangs:
            await asyncio.Event().wait()
        yield DONE

    @asynccontextmanager
    async def relay(self, request: RelayRequest) -> AsyncGenerator[RelayResponse]:
        raise AssertionError("it speaks no dialect")
        yield


class Credentials:
    """What pays for the calls of each, as the test says."""

    def __init__(self) -> None:
        self.paying: dict[Payer, CredentialsByProvider] = {}

    async def of(self, payer: Payer) -> CredentialsByProvider:
        return self.paying.get(payer, NO_CREDENTIALS)


class Paid:
    """A gateway to `openai`, which the server pays, and `anthropic`, which only callers can."""

    def __init__(self) -> None:
        self.openai = KeyedProvider()
        self.anthropic = KeyedProvider("anthropic")
        self.credentials = Credentials()
        self.uses = CredentialUses()
        catalog = Catalog(
            [
                ProviderEntry(provider=self.openai, origin=ProviderOrigin.API_KEY),
                ProviderEntry(
                    provider=ListingProvider("offline", "assistant"),
                    origin=ProviderOrigin.OFFLINE,
                    default_model="assistant",
                ),
            ],
            unpaid=[
                ProviderEntry(
                    provider=self.anthropic,
                    origin=ProviderOrigin.API_KEY,
                    default_model="claude-9",
                    model_prefixes=("claude-",),
                ),
                ProviderEntry(provider=KeyedProvider("none"), origin=ProviderOrigin.API_KEY),
            ],
            unconfigured={"anthropic": "anthropic has no key here."},
        )
        route = Route(targets=(Target("anthropic/claude-9"), Target("openai/m")))
        self.gateway = Gateway(
            catalog,
            RetryPolicy(attempts=1),
            routes={"both": route},
            credentials=self.credentials,
            uses=self.uses,
        )

    def pay(self, payer: Payer = ANN, **credentials: CallCredential) -> None:
        self.credentials.paying[payer] = credentials

    async def key(self, name: str = "openai/m", owner: str = "ann") -> str:
        """The key that pays for a call of an owner."""
        _, deltas = await answer_to(self.gateway, call(name, owner_id=owner))
        return "".join(one.text for one in deltas if isinstance(one, TextDelta))


@pytest.fixture
def paid() -> Paid:
    return Paid()


async def test_the_callers_key_pays_for_its_calls_only(paid: Paid) -> None:
    paid.pay(openai=OWN)
    assert await paid.key() == "key-of-ann"
    assert await paid.key(owner="bob") == "key-of-the-server"
    brought = call("openai/m", owner_id="bob", credentials={"openai": SHARED})
    _, deltas = await answer_to(paid.gateway, brought)
    assert TextDelta("key-of-acme") in deltas


async def test_a_provider_that_only_a_caller_can_pay_is_there_for_that_one(paid: Paid) -> None:
    for name in ("anthropic/claude-9", "claude-10", "anthropic"):
        with pytest.raises(NotFound):
            await paid.key(name)
    assert await paid.key("both") == "key-of-the-server"
    paid.pay(anthropic=OWN)
    for name in ("anthropic/claude-9", "claude-10", "anthropic", "both"):
        assert await paid.key(name) == "key-of-ann"
    assert (await paid.gateway.choose("anthropic", None, payer=ANN)).deployment == Deployment(
        "anthropic", "claude-9"
    )
    with pytest.raises(NotFound):
        await paid.gateway.choose("anthropic", None, payer=Payer("local", "bob"))
    with pytest.raises(NotFound):
        await paid.gateway.choose("anthropic", None)
    assert [one.provider for one in await paid.gateway.models()] == ["openai", "offline"]


async def test_a_model_must_be_named_where_none_can_be_listed(paid: Paid) -> None:
    paid.pay(none=OWN)
    with pytest.raises(NotFound, match="Name a model"):
        await paid.key("none")
    assert await paid.key("none/m") == "key-of-ann"


async def test_what_a_caller_pays_is_the_default_before_the_offline_model(paid: Paid) -> None:
    catalog = Catalog(
        [
            ProviderEntry(
                provider=ListingProvider("offline", "assistant"),
                origin=ProviderOrigin.OFFLINE,
                default_model="assistant",
            )
        ],
        unpaid=[
            ProviderEntry(
                provider=paid.anthropic, origin=ProviderOrigin.API_KEY, default_model="claude-9"
            )
        ],
    )
    assert (await catalog.resolve(None, None)).provider == "offline"
    assert (await catalog.resolve(None, None, ["anthropic"])).id == "anthropic/claude-9"
    assert (await catalog.resolve(None, None, ["none"])).provider == "offline"


@pytest.mark.parametrize(
    ("error", "own"),
    [
        (UpstreamAuth("no", provider="openai", status=401), True),
        (UpstreamQuota("no", provider="openai", status=402), True),
        (UpstreamLimited("no", provider="openai", retry_after=60), False),
    ],
)
async def test_what_is_wrong_with_one_credential_is_wrong_with_no_other(
    paid: Paid, error: UpstreamError, own: bool
) -> None:
    paid.pay(openai=OWN)
    paid.pay(Payer("local", "cid"), openai=SHARED)
    paid.openai.failing["key-of-ann"] = error
    for _ in range(9):
        with pytest.raises(UpstreamError) as raised:
            await paid.key()
        assert raised.value.callers_own is own
    assert await paid.key(owner="bob") == "key-of-the-server"
    assert await paid.key(owner="cid") == "key-of-acme"
    assert paid.gateway.health() == ()


async def test_a_refused_credential_is_the_owners_matter_alone(paid: Paid) -> None:
    paid.pay(openai=SHARED)
    paid.openai.failing["key-of-acme"] = UpstreamAuth("no", provider="openai", status=401)
    with pytest.raises(UpstreamAuth) as raised:
        await paid.key()
    assert (raised.value.message, raised.value.callers_own) == ("no", False)
    paid.pay(openai=OWN)
    refused = UpstreamAuth("no", provider="openai", status=401)
    paid.openai.failing["key-of-ann"] = refused
    with pytest.raises(UpstreamAuth) as raised:
        await paid.key()
    assert "the credential that you brought" in raised.value.message
    refused.relayed, refused.message = True, "said by the provider"
    with pytest.raises(UpstreamAuth) as raised:
        await paid.key()
    assert raised.value.message == "said by the provider"


async def test_a_key_that_cannot_be_decrypted_is_paid_by_nobody_else(paid: Paid) -> None:
    paid.pay(openai=CallCredential("own", Secret("")))
    with pytest.raises(Unavailable) as raised:
        await paid.key()
    assert raised.value.code == "credential_unreadable"


async def test_a_route_goes_on_with_what_another_credential_pays(paid: Paid) -> None:
    paid.pay(anthropic=OWN)
    paid.anthropic.failing["key-of-ann"] = UpstreamQuota("no", provider="anthropic", status=402)
    for failovers in (1, 0):  # the second time it is known
        answer, _ = await answer_to(paid.gateway, call("both", owner_id="ann"))
        assert (answer.provider, len(answer.failovers)) == ("openai", failovers)
    paid.pay(anthropic=SHARED)
    assert await paid.key("both") == "key-of-acme"


async def test_a_deployment_that_is_down_is_down_for_all(paid: Paid) -> None:
    paid.pay(openai=OWN)
    paid.openai.failing["key-of-ann"] = UpstreamOverloaded("no", provider="openai", status=500)
    for _ in range(5):
        with pytest.raises(UpstreamOverloaded):
            await paid.key()
    [health] = paid.gateway.health()
    assert health.state == "ejected"


async def test_a_call_is_cut_when_its_credential_ends(paid: Paid) -> None:
    paid.pay(openai=OWN)
    paid.openai.hangs = True
    begun = asyncio.Event()

    async def read() -> None:
        async with paid.gateway.open(call("openai/m", owner_id="ann")) as answer:
            async for _ in answer.items:
                begun.set()

    reading = asyncio.create_task(read())
    await begun.wait()
    assert {*paid.uses.credential_ids} == {"own"}
    assert paid.uses.cut(["shared"]) == 0
    assert paid.uses.cut(["own", "shared"]) == 1
    with pytest.raises(CredentialEnded):
        await reading
    assert not paid.uses.credential_ids
    assert not reading.cancelling()


async def test_who_cancels_such_a_call_gets_no_error_of_it(paid: Paid) -> None:
    provider = PaidProvider(paid.openai, OWN, paid.uses)
    begun = asyncio.Event()

    async def read() -> None:
        async with provider.stream(REQUEST):
            begun.set()
            await asyncio.Event().wait()

    reading = asyncio.create_task(read())
    await begun.wait()
    reading.cancel()
    paid.uses.cut(["own"])
    paid.uses.cut(["own"])
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert not paid.uses.credential_ids


async def test_a_call_whose_credential_ended_while_it_waited_is_not_made(paid: Paid) -> None:
    waiting = PaidProvider(paid.openai, OWN, paid.uses).stream(REQUEST)
    assert paid.uses.cut(["own"]) == 0
    with pytest.raises(CredentialEnded):
        await waiting.__aenter__()
    assert not paid.uses.credential_ids


async def test_it_is_the_provider_otherwise(paid: Paid) -> None:
    provider = PaidProvider(paid.openai, OWN, paid.uses)
    assert (provider.name, provider.dialects) == ("openai", frozenset())
    assert await provider.models() == [ModelInfo("openai", "m")]
    with pytest.raises(ZeroDivisionError):
        async with provider.stream(REQUEST):
            raise ZeroDivisionError
    assert not paid.uses.credential_ids

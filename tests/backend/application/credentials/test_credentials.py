"""Credentials as they are managed: exchanged, replaced, revoked, and found for calls."""

import asyncio
from collections.abc import AsyncGenerator
from datetime import timedelta

import pytest
from tests.backend.application.access_fixture import Access
from tests.harness.database import TemporaryDatabase

from cartrita.adapters.encryption.envelopes import CredentialEnvelopes
from cartrita.adapters.persistence.credentials import CredentialTable
from cartrita.adapters.persistence.data_keys import DataKeyTable
from cartrita.adapters.persistence.database import Database
from cartrita.application.credentials.credentials import Credentials, KeyRefused
from cartrita.application.credentials.known_credentials import KnownCredentials
from cartrita.application.credentials.vault import CredentialVault
from cartrita.domain.audit import Actor
from cartrita.domain.credentials import NO_CREDENTIALS, CallCredential, CredentialState, Payer
from cartrita.domain.errors import (
    Conflict,
    Forbidden,
    NotFound,
    UpstreamUnreachable,
)
from cartrita.domain.scopes import Operation, Scopes
from cartrita.gateway.paid_providers import CredentialEnded, CredentialUse, CredentialUses
from cartrita.kit import clock
from cartrita.kit.secret import Secret, derive_secret

ONE, TWO = Secret("sk-the-first-key-1234"), Secret("sk-the-second-key-5678")
HOUR = timedelta(hours=1)


def wrapping(name: str) -> Secret:
    return derive_secret(Secret(name), "credentials")


class Validator:
    """Accepts what the test does not list as refused."""

    def __init__(self) -> None:
        self.refused: set[str] = set()
        self.asked: list[str] = []
        self.away = False

    async def accepts(self, provider: str, key: Secret) -> bool:
        self.asked.append(key.reveal())
        if self.away:
            raise UpstreamUnreachable("It is away.", provider=provider)
        return key.reveal() not in self.refused


class Managed:
    """The use case on a database, as one of several processes has it."""

    def __init__(self, pool: Database, access: Access, *secrets: str) -> None:
        self.access = access
        self.table = CredentialTable(pool)
        keys = [wrapping(name) for name in secrets or ("w",)]
        self.vault = CredentialVault(DataKeyTable(pool), CredentialEnvelopes(keys))
        self.uses = CredentialUses()
        self.known = KnownCredentials(self.table, self.vault, self.uses)
        self.validator = Validator()
        self.credentials = Credentials(
            self.table,
            self.vault,
            self.known,
            self.validator,
            access.issued,
            overlap=HOUR,
            now=access.clock.now,
        )

    async def pays(self, actor: Actor, provider: str = "openai") -> str | None:
        """The key that pays for the calls of someone."""
        paying = (await self.known.of(actor.principal.payer)).get(provider)
        return None if paying is None else paying.key.reveal()


@pytest.fixture
async def pool(database: TemporaryDatabase) -> AsyncGenerator[Database]:
    made = Database(database.dsn, pool_size=4)
    yield made
    await made.close()


@pytest.fixture
def here(pool: Database) -> Managed:
    return Managed(pool, Access(pool))


@pytest.fixture
async def ann(here: Managed) -> Actor:
    return await here.access.acting("ann", tenant="acme")


@pytest.fixture
async def admin(here: Managed, ann: Actor) -> Actor:
    return await here.access.acting("admin", tenant="acme", admin=True)


async def test_a_key_is_exchanged_for_one_that_may_use_its_provider(
    here: Managed, ann: Actor
) -> None:
    credential, key, secret = await here.credentials.exchange(ann, "openai", ONE)
    assert (credential.hint, credential.version, credential.owner_id) == ("1234", 1, "ann")
    principal = await here.access.keys.authenticate(secret.reveal())
    assert principal.owner_id == "ann"
    assert principal.scopes == key.scopes
    assert key.scopes == Scopes(
        providers=("openai",),
        operations=(
            Operation.CHAT,
            Operation.EMBEDDINGS,
            Operation.SEARCH,
            Operation.VOICE,
            Operation.CONVERSATIONS,
        ),
    )
    assert await here.pays(ann) == ONE.reveal()
    assert await here.pays(ann, "anthropic") is None


async def test_the_new_key_may_do_no_more_than_the_one_that_asked(here: Managed) -> None:
    scopes = Scopes(providers=("openai",), models=("gpt-5*",), operations=("chat", "keys"))
    cid = await here.access.acting("cid", scopes=scopes)
    _, key, _ = await here.credentials.exchange(cid, "openai", ONE)
    assert key.scopes == Scopes(providers=("openai",), models=("gpt-5*",), operations=("chat",))
    with pytest.raises(Forbidden):
        await here.credentials.exchange(cid, "anthropic", ONE)
    dan = await here.access.acting("dan", scopes=Scopes(operations=("chat",)))
    with pytest.raises(Forbidden):
        await here.credentials.exchange(dan, "openai", ONE)
    assert here.validator.asked == [ONE.reveal()]


async def test_the_same_key_is_the_same_credential_and_another_replaces_it(
    here: Managed, ann: Actor
) -> None:
    first, _, _ = await here.credentials.exchange(ann, "openai", ONE)
    again, _, _ = await here.credentials.exchange(ann, "openai", Secret(f" {ONE.reveal()}\n"))
    assert again == first
    second, _, _ = await here.credentials.exchange(ann, "openai", TWO)
    assert second.version == 2
    assert await here.pays(ann) == TWO.reveal()
    old = await here.credentials.get(ann.principal, first.id)
    assert old.state(here.access.clock.moment) is CredentialState.RETIRING
    assert old.state(here.access.clock.moment + HOUR) is CredentialState.REVOKED
    back, _, _ = await here.credentials.exchange(ann, "openai", ONE)
    assert (back.version, back.id == first.id) == (3, False)


@pytest.mark.parametrize(
    "key", ["short", "k" * 4097, "with a space", "with\nlines", "sk-é-not-ascii", "ck_one_of_ours"]
)
async def test_what_cannot_be_a_key_reaches_no_provider(
    here: Managed, ann: Actor, key: str
) -> None:
    with pytest.raises(KeyRefused) as refused:
        await here.credentials.exchange(ann, "openai", Secret(key))
    assert refused.value.fields == {"key": ["openai does not accept this key"]}
    assert here.validator.asked == []


async def test_what_the_provider_refuses_looks_like_what_is_no_key(
    here: Managed, ann: Actor
) -> None:
    here.validator.refused = {ONE.reveal()}
    with pytest.raises(KeyRefused) as refused:
        await here.credentials.exchange(ann, "openai", ONE)
    assert refused.value.fields == {"key": ["openai does not accept this key"]}


async def test_a_provider_that_cannot_be_asked_says_nothing_of_a_key(
    here: Managed, ann: Actor
) -> None:
    here.validator.away = True
    for _ in range(9):
        with pytest.raises(UpstreamUnreachable):
            await here.credentials.exchange(ann, "openai", ONE)
    assert await here.pays(ann) is None


async def test_a_shared_one_is_changed_by_admins_and_pays_for_all(
    here: Managed, ann: Actor, admin: Actor
) -> None:
    with pytest.raises(Forbidden):
        await here.credentials.exchange(ann, "openai", ONE, shared=True)
    shared, _, _ = await here.credentials.exchange(admin, "openai", ONE, shared=True)
    assert shared.owner_id is None
    stranger = await here.access.acting("eve", tenant="other", admin=True)
    assert [await here.pays(one) for one in (ann, admin, stranger)] == [
        ONE.reveal(),
        ONE.reveal(),
        None,
    ]
    paying = (await here.known.of(ann.principal.payer))["openai"]
    assert paying == CallCredential(shared.id, ONE, shared=True)
    here.access.clock.moment += HOUR
    await here.credentials.exchange(ann, "openai", TWO)
    assert await here.pays(ann) == TWO.reveal()
    for act in (
        here.credentials.revoke(ann, shared.id),
        here.credentials.rotate(ann, shared.id, TWO),
    ):
        with pytest.raises(Forbidden):
            await act
    for act in (
        here.credentials.get(stranger.principal, shared.id),
        here.credentials.revoke(stranger, shared.id),
    ):
        with pytest.raises(NotFound):
            await act
    page = await here.credentials.page(ann.principal, None, 1)
    assert ([one.id for one in page.items], page.next_cursor) == ([shared.id], shared.id)
    rest = await here.credentials.page(ann.principal, page.next_cursor, 1)
    assert ([one.owner_id for one in rest.items], rest.next_cursor) == (["ann"], None)


async def test_an_admin_does_not_reach_what_a_user_has_stored(
    here: Managed, ann: Actor, admin: Actor
) -> None:
    own, _, _ = await here.credentials.exchange(ann, "openai", ONE)
    with pytest.raises(NotFound):
        await here.credentials.get(admin.principal, own.id)
    with pytest.raises(NotFound):
        await here.credentials.get(ann.principal, "\0")


async def test_rotation_has_an_overlap(here: Managed, ann: Actor) -> None:
    first, _, _ = await here.credentials.exchange(ann, "openai", ONE)
    second = await here.credentials.rotate(ann, first.id, TWO, overlap=2 * HOUR)
    old = await here.credentials.get(ann.principal, first.id)
    assert old.retires_at == here.access.clock.moment + 2 * HOUR
    assert await here.pays(ann) == TWO.reveal()
    with pytest.raises(Conflict):
        await here.credentials.rotate(ann, first.id, ONE)
    third = await here.credentials.rotate(ann, second.id, ONE)
    retiring = await here.credentials.get(ann.principal, second.id)
    assert (third.version, retiring.retires_at) == (3, here.access.clock.moment + HOUR)


async def test_of_two_that_replace_the_same_one_is_told(here: Managed, ann: Actor) -> None:
    first, _, _ = await here.credentials.exchange(ann, "openai", ONE)
    results = await asyncio.gather(
        here.credentials.rotate(ann, first.id, TWO),
        here.credentials.rotate(ann, first.id, Secret("sk-the-third-key")),
        return_exceptions=True,
    )
    assert [type(one) for one in results].count(Conflict) == 1


async def test_what_is_revoked_pays_no_more_anywhere(
    here: Managed, ann: Actor, pool: Database
) -> None:
    there = Managed(pool, here.access)
    await there.known.refresh()
    assert await there.pays(ann) is None
    own, _, _ = await here.credentials.exchange(ann, "openai", ONE)
    await there.known.refresh()
    assert await there.pays(ann) == ONE.reveal()
    begun = asyncio.Event()
    paying = asyncio.create_task(_paying(there.uses, own.id, begun))
    await begun.wait()
    assert (await here.credentials.revoke(ann, own.id)).revoked_at is not None
    await here.credentials.revoke(ann, own.id)
    assert await here.pays(ann) is None
    assert await there.pays(ann) == ONE.reveal()
    await there.known.refresh()
    with pytest.raises(CredentialEnded):
        await paying
    assert await there.pays(ann) is None


async def test_what_is_revoked_pays_for_no_call_that_waits(
    here: Managed, ann: Actor, pool: Database
) -> None:
    there = Managed(pool, here.access)
    own, _, _ = await here.credentials.exchange(ann, "openai", ONE)
    await there.known.refresh()
    assert await there.pays(ann) == ONE.reveal()
    here.access.clock.moment = clock.now()
    await here.credentials.revoke(ann, own.id)
    await there.known.refresh()
    with pytest.raises(CredentialEnded), CredentialUse(there.uses, own.id):
        raise AssertionError("begun")


async def _paying(uses: CredentialUses, credential_id: str, begun: asyncio.Event) -> None:
    with CredentialUse(uses, credential_id):
        begun.set()
        await asyncio.Event().wait()


async def test_the_keys_of_tenants_are_wrapped_again(
    here: Managed, ann: Actor, pool: Database
) -> None:
    await here.credentials.exchange(ann, "openai", ONE)
    rotated = Managed(pool, here.access, "new", "w")
    await rotated.vault.rewrap()
    alone = Managed(pool, here.access, "new")
    await alone.known.refresh()
    assert await alone.pays(ann) == ONE.reveal()


async def test_whoever_loses_the_wrapping_key_stores_the_keys_again(
    here: Managed, ann: Actor, pool: Database
) -> None:
    await here.credentials.exchange(ann, "openai", ONE)
    await here.credentials.exchange(ann, "anthropic", TWO)
    lost = Managed(pool, here.access, "other")
    await lost.vault.rewrap()
    await lost.known.refresh()
    assert await lost.pays(ann) == ""
    again, _, _ = await lost.credentials.exchange(ann, "openai", ONE)
    assert again.version == 2
    assert [await lost.pays(ann, name) for name in ("openai", "anthropic")] == [ONE.reveal(), ""]
    found = Managed(pool, here.access, "w", "other")
    await found.known.refresh()
    assert await found.pays(ann, "anthropic") == TWO.reveal()


async def test_whoever_has_none_is_not_looked_for(here: Managed, ann: Actor) -> None:
    await here.credentials.exchange(ann, "openai", ONE)
    asked: list[Payer] = []
    active = here.table.active

    async def counting(payer: Payer) -> object:
        asked.append(payer)
        return await active(payer)

    here.table.active = counting  # pyright: ignore[reportAttributeAccessIssue]
    for _ in range(3):
        assert await here.known.of(Payer("acme", "nobody")) is NO_CREDENTIALS
        assert await here.known.of(Payer("other", "ann")) is NO_CREDENTIALS
        assert await here.pays(ann) == ONE.reveal()
    assert asked == [ann.principal.payer]

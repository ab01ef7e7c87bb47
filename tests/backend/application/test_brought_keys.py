"""Keys of providers that callers send: who they are, how long, and what is asked about them."""

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.backend.application.access_fixture import Clock
from tests.backend.examples import examples
from tests.harness.database import TemporaryDatabase

from cartrita.adapters.persistence.api_keys import ApiKeyTable
from cartrita.adapters.persistence.database import Database
from cartrita.application.authentication import KeyAuthentication
from cartrita.application.brought_keys import (
    BROUGHT,
    BroughtKeys,
    PayingCredentials,
    ProviderKeyGone,
)
from cartrita.application.provider_key_shapes import KeyShapes
from cartrita.domain.credentials import NO_CREDENTIALS, CredentialsByProvider, Payer
from cartrita.domain.errors import NotFound, Unauthenticated, UpstreamUnreachable
from cartrita.domain.principals import LOCAL_OWNER
from cartrita.domain.scopes import Scopes
from cartrita.kit.secret import Secret

ONE, TWO, OWN = "sk-the-first-key", "sk-the-second-key", "any-shape-of-the-server"
SHAPES = KeyShapes({"openai": ("sk-",), "elsewhere": ()})


class Validator:
    """Accepts what the test lists."""

    def __init__(self, *accepted: str) -> None:
        self.accepted = {*accepted}
        self.asked: list[tuple[str, str]] = []
        self.error: Exception | None = None
        self.any = False
        self.hanging: str | None = None

    async def accepts(self, provider: str, key: Secret) -> bool:
        self.asked.append((provider, key.reveal()))
        await (asyncio.Event().wait() if provider == self.hanging else asyncio.sleep(0))
        if self.error is not None:
            raise self.error
        return self.any or key.reveal() in self.accepted

    def count(self, key: str) -> int:
        return [one for _, one in self.asked].count(key)


class Keys:
    """The keys of one process, with a clock."""

    def __init__(self, *accepted: str, **options: Any) -> None:
        self.clock = Clock()
        self.validator = Validator(*accepted)
        self.keys = BroughtKeys(
            SHAPES,
            self.validator,
            Secret("pepper"),
            configured={"mine": Secret(f" {OWN} "), "other": Secret(TWO)},
            monotonic=self.clock.monotonic,
            **options,
        )

    async def refused(self, key: str, told: str | None = None, *, local: bool = False) -> str:
        with pytest.raises(Unauthenticated) as refusal:
            await self.keys.authenticate(key, told, local=local)
        return refusal.value.message


async def test_an_accepted_key_is_an_owner_with_one_provider() -> None:
    here = Keys(ONE)
    principal = await here.keys.authenticate(ONE)
    assert principal.owner_id == principal.key_id == principal.tenant_id
    assert principal.owner_id.startswith(BROUGHT)
    assert (principal.admin, principal.operator) == (False, False)
    assert principal.scopes == Scopes(
        providers=("openai",), operations=("chat", "embeddings", "search", "conversations")
    )
    assert await here.keys.authenticate(ONE, "openai") == principal
    assert await here.keys.authenticate(ONE, "elsewhere") != principal
    [(provider, paying)] = here.keys.credentials(principal.owner_id).items()
    assert (provider, paying.key.reveal(), paying.shared) == ("openai", ONE, False)
    assert paying.id == principal.key_id


async def test_all_failures_look_alike() -> None:
    here = Keys(ONE)
    told = [
        await here.refused(TWO),
        await here.refused(TWO),
        await here.refused("no-shape-of-anybody"),
        await here.refused(ONE, "anthropic"),
        await here.refused(OWN),
        await here.refused(OWN, "other", local=True),
    ]
    here.validator.error = NotFound("It has no model to try this with.")
    told.append(await here.refused("sk-another-key"))
    assert len(set(told)) == 1


async def test_a_provider_that_does_not_answer_holds_up_no_key_of_another() -> None:
    here = Keys(ONE)
    here.validator.hanging = "elsewhere"
    tasks = asyncio.get_running_loop().create_task
    others = [tasks(here.keys.authenticate(f"a-key-{n}", "elsewhere")) for n in range(99)]
    await asyncio.sleep(0)
    principal = await here.keys.authenticate(ONE)
    assert principal.scopes.providers == ("openai",)
    assert len(here.validator.asked) < 99
    for one in others:
        one.cancel()
    await asyncio.wait(others)


async def test_a_provider_is_asked_once_in_a_time() -> None:
    here = Keys(ONE, ttl_s=100.0)
    await asyncio.gather(*(here.keys.authenticate(ONE) for _ in range(9)))
    assert here.validator.count(ONE) == 1
    here.clock.seconds += 100
    assert not here.keys.recognises(ONE)
    await here.keys.authenticate(ONE)
    assert here.validator.count(ONE) == 2
    assert here.keys.recognises(ONE)
    for _ in range(3):
        await here.refused(TWO)
    assert here.validator.count(TWO) == 1
    here.clock.seconds += 61
    here.validator.accepted.add(TWO)
    await here.keys.authenticate(TWO)


async def test_a_key_that_its_provider_refuses_later_ends() -> None:
    here = Keys(ONE, ttl_s=100.0)
    principal = await here.keys.authenticate(ONE)
    assert not here.keys.ended(principal.key_id)
    here.validator.accepted.clear()
    here.clock.seconds += 100
    await here.refused(ONE)
    assert here.keys.ended(principal.key_id)
    assert here.keys.active(principal.owner_id, principal.key_id) is None
    with pytest.raises(ProviderKeyGone):
        here.keys.credentials(principal.owner_id)


async def test_a_provider_that_cannot_be_asked_says_nothing() -> None:
    here = Keys(ONE)
    here.validator.error = UpstreamUnreachable("It is away.", provider="openai")
    with pytest.raises(UpstreamUnreachable):
        await here.keys.authenticate(ONE)
    here.validator.error = None
    assert await here.keys.authenticate(ONE)


async def test_a_provider_that_accepts_anything_proves_nothing() -> None:
    here = Keys()
    here.validator.any = True
    await here.refused(ONE)
    await here.refused(ONE, "elsewhere")
    made_up = [key for _, key in here.validator.asked if key != ONE]
    assert len(set(made_up)) == len(made_up) == 2


async def test_a_key_is_kept_for_an_hour_after_its_last_use() -> None:
    here = Keys(ONE, TWO, ttl_s=10_000.0)
    one = await here.keys.authenticate(ONE)
    for _ in range(3):
        here.clock.seconds += 3000
        assert here.keys.active(one.owner_id, one.key_id)
    assert here.keys.active("ann", one.key_id) is None
    here.clock.seconds += 3600
    two = await here.keys.authenticate(TWO)
    assert here.keys.ended(one.key_id)
    assert not here.keys.ended(two.key_id)
    here.clock.seconds += 3600
    assert here.keys.active(two.owner_id, two.key_id) is None


async def test_of_too_many_the_one_used_last_is_kept() -> None:
    here = Keys(ONE, TWO, "sk-the-third-key", most=2)
    one, two = [await here.keys.authenticate(key) for key in (ONE, TWO)]
    await here.keys.authenticate(ONE)
    await here.keys.authenticate("sk-the-third-key")
    assert (here.keys.ended(one.key_id), here.keys.ended(two.key_id)) == (False, True)


async def test_the_servers_own_key_is_the_local_owner_on_this_machine_only() -> None:
    here = Keys()
    principal = await here.keys.authenticate(OWN, local=True)
    assert (principal.owner_id, principal.admin) == (LOCAL_OWNER, False)
    assert principal.scopes.providers == ("mine",)
    assert principal.key_id != principal.owner_id
    assert here.keys.recognises(OWN, local=True)
    assert not here.keys.recognises(OWN)
    assert here.keys.active(LOCAL_OWNER, principal.key_id)
    with pytest.raises(ProviderKeyGone):  # the server pays
        here.keys.credentials(principal.key_id)
    assert here.validator.asked == []
    here.validator.accepted.add(TWO)
    elsewhere = await here.keys.authenticate(TWO)
    assert elsewhere.owner_id != LOCAL_OWNER
    assert (await here.keys.authenticate(TWO, local=True)).owner_id == LOCAL_OWNER
    assert await here.keys.authenticate(TWO) == elsewhere


async def test_they_are_looked_up_like_keys_of_the_server(database: TemporaryDatabase) -> None:
    here, pool = Keys(ONE, ttl_s=10.0), Database(database.dsn, pool_size=1)
    keys = KeyAuthentication(ApiKeyTable(pool), Secret("pepper"), brought=here.keys)
    without = KeyAuthentication(ApiKeyTable(pool), Secret("pepper"))
    try:
        principal = await here.keys.authenticate(ONE)
        found = await keys.active(principal.owner_id, principal.key_id)
        assert found is not None
        assert found.principal == principal
        assert not keys.any_unknown([principal.key_id])
        assert not keys.ended(principal, gone=[principal.key_id])
        assert await without.active(principal.owner_id, principal.key_id) is None
        assert without.ended(principal)
        here.clock.seconds += 3600
        assert keys.ended(principal)
        assert await keys.active(principal.owner_id, principal.key_id) is None
    finally:
        await pool.close()


class Stored:
    """What is stored, for everybody."""

    async def of(self, payer: Payer) -> CredentialsByProvider:
        return NO_CREDENTIALS


async def test_who_is_known_by_a_key_pays_with_it_and_nobody_else_does() -> None:
    here = Keys(ONE)
    paying = PayingCredentials(here.keys, Stored())
    principal = await here.keys.authenticate(ONE)
    assert (await paying.of(principal.payer))["openai"].key.reveal() == ONE
    assert await paying.of(Payer("home", "ann")) is NO_CREDENTIALS
    here.clock.seconds += 3600
    with pytest.raises(ProviderKeyGone):
        await paying.of(principal.payer)


_TEXT = st.text("abcdefgh-_0123", min_size=1, max_size=30)


@examples
@given(_TEXT, _TEXT, _TEXT, _TEXT)
def test_keys_that_begin_and_end_alike_are_different_owners(
    begin: str, end: str, one: str, two: str
) -> None:
    keys = [f"sk-0000{begin}{middle}{end}" for middle in (one, two)]

    async def owners() -> list[str]:
        here = Keys(*keys)
        return [(await here.keys.authenticate(key)).owner_id for key in keys]

    first, second = asyncio.run(owners())
    assert (first == second) == (keys[0] == keys[1])

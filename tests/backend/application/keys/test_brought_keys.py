"""Keys of providers that callers send: who they are, how long, and what is asked about them."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.backend.application.brought_keys_fixture import LOCAL, ONE, OWN, TWO, Keys
from tests.backend.examples import examples

from cartrita.application.keys.brought_keys import (
    ProviderKeyGone,
    is_brought,
)
from cartrita.application.keys.kinds import Bringing
from cartrita.domain.errors import NotFound, UpstreamUnreachable
from cartrita.domain.principals import LOCAL_OWNER
from cartrita.domain.scopes import Scopes


async def test_an_accepted_key_is_an_owner_with_one_provider() -> None:
    here = Keys(ONE)
    principal = await here.keys.authenticate(ONE)
    assert principal.owner_id == principal.key_id == principal.tenant_id
    assert is_brought(principal.owner_id)
    assert (principal.admin, principal.operator) == (False, False)
    assert principal.scopes == Scopes(
        providers=("openai",), operations=("chat", "embeddings", "search", "voice", "conversations")
    )
    assert await here.keys.authenticate(ONE, Bringing("openai")) == principal
    assert await here.keys.authenticate(ONE, Bringing("elsewhere")) != principal
    [(provider, paying)] = here.keys.credentials(principal.owner_id).items()
    assert (provider, paying.key.reveal(), paying.shared) == ("openai", ONE, False)
    assert paying.id == principal.key_id


async def test_all_failures_look_alike() -> None:
    here = Keys(ONE)
    told = [
        await here.refused(TWO),
        await here.refused(TWO),
        await here.refused("no-shape-of-anybody"),
        await here.refused(ONE, Bringing("anthropic")),
        await here.refused(OWN),
        await here.refused(OWN, Bringing("other", local=True)),
    ]
    here.validator.error = NotFound("It has no model to try this with.")
    told.append(await here.refused("sk-another-key"))
    assert len(set(told)) == 1


async def test_a_provider_that_does_not_answer_holds_up_no_key_of_another() -> None:
    here = Keys(ONE)
    here.validator.hanging = "elsewhere"
    tasks = asyncio.get_running_loop().create_task
    others = [tasks(here.keys.authenticate(f"a-key-{n}", Bringing("elsewhere"))) for n in range(99)]
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
    assert not here.keys.ended(principal)
    here.validator.accepted.clear()
    here.clock.seconds += 100
    await here.refused(ONE)
    assert here.keys.ended(principal)
    assert await here.keys.active(principal.owner_id, principal.key_id) is None
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
    await here.refused(ONE, Bringing("elsewhere"))
    made_up = [key for _, key in here.validator.asked if key != ONE]
    assert len(set(made_up)) == len(made_up) == 2


async def test_a_key_is_kept_for_an_hour_after_its_last_use() -> None:
    here = Keys(ONE, TWO, ttl_s=10_000.0)
    one = await here.keys.authenticate(ONE)
    for _ in range(3):
        here.clock.seconds += 3000
        assert await here.keys.active(one.owner_id, one.key_id)
    assert await here.keys.active("ann", one.key_id) is None
    here.clock.seconds += 3600
    two = await here.keys.authenticate(TWO)
    assert here.keys.ended(one)
    assert not here.keys.ended(two)
    here.clock.seconds += 3600
    assert await here.keys.active(two.owner_id, two.key_id) is None


async def test_of_too_many_the_one_used_last_is_kept() -> None:
    here = Keys(ONE, TWO, "sk-the-third-key", most=2)
    one, two = [await here.keys.authenticate(key) for key in (ONE, TWO)]
    await here.keys.authenticate(ONE)
    await here.keys.authenticate("sk-the-third-key")
    assert (here.keys.ended(one), here.keys.ended(two)) == (False, True)


async def test_the_servers_own_key_is_the_local_owner_on_this_machine_only() -> None:
    here = Keys()
    principal = await here.keys.authenticate(OWN, LOCAL)
    assert (principal.owner_id, principal.admin) == (LOCAL_OWNER, False)
    assert principal.scopes.providers == ("mine",)
    assert principal.key_id != principal.owner_id
    assert here.keys.recognises(OWN, LOCAL)
    assert not here.keys.recognises(OWN)
    assert await here.keys.active(LOCAL_OWNER, principal.key_id)
    with pytest.raises(ProviderKeyGone):  # the server pays
        here.keys.credentials(principal.key_id)
    assert here.validator.asked == []
    here.validator.accepted.add(TWO)
    elsewhere = await here.keys.authenticate(TWO)
    assert elsewhere.owner_id != LOCAL_OWNER
    assert (await here.keys.authenticate(TWO, LOCAL)).owner_id == LOCAL_OWNER
    assert await here.keys.authenticate(TWO) == elsewhere


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

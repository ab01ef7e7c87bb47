"""Managed keys: who may make, see, change, rotate and end which of them."""

from collections.abc import AsyncGenerator
from datetime import timedelta
from typing import Any

import pytest
from tests.backend.application.access_fixture import Access
from tests.harness.database import TemporaryDatabase

from cartrita.adapters.persistence.database import Database
from cartrita.application.keys.own_keys import BOOTSTRAP_ID
from cartrita.domain.api_keys import KeyFilter
from cartrita.domain.audit import COMMAND_LINE
from cartrita.domain.errors import Conflict, Forbidden, NotFound, Unauthenticated
from cartrita.domain.scopes import Scopes

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
CHAT = Scopes(models=("openai/*",), operations=("chat", "keys"))


@pytest.fixture
async def access(database: TemporaryDatabase) -> AsyncGenerator[Access]:
    pool = Database(database.dsn, pool_size=4)
    yield Access(pool)
    await pool.close()


async def test_a_key_makes_keys_like_itself(access: Access) -> None:
    ann = await access.acting("ann", scopes=CHAT, days=9)
    own, secret = await access.issued.create(ann, "ann", "another")
    assert own.scopes == CHAT
    assert own.expires_at == access.clock.moment + 9 * DAY
    assert (await access.keys.authenticate(secret.reveal())).scopes == CHAT
    narrow = Scopes(models=("openai/gpt-5",), operations=("chat",))
    less, _ = await access.issued.create(
        ann, "ann", "less", scopes=narrow, expires_at=access.clock.moment + DAY
    )
    assert (less.scopes, less.expires_at) == (narrow, access.clock.moment + DAY)


@pytest.mark.parametrize(
    "more",
    [
        {"scopes": Scopes()},
        {"scopes": Scopes(models=("*",), operations=("chat",))},
        {"scopes": Scopes(models=("openai/*",), operations=("chat", "admin"))},
        {"expires_at": 10 * DAY},
    ],
)
async def test_a_key_makes_none_that_may_do_more(access: Access, more: dict[str, Any]) -> None:
    ann = await access.acting("ann", scopes=CHAT, days=9)
    if "expires_at" in more:
        more = {"expires_at": access.clock.moment + more["expires_at"]}
    with pytest.raises(Forbidden):
        await access.issued.create(ann, "ann", "more", **more)
    own = ann.principal.key_id
    with pytest.raises(Forbidden):
        await access.issued.change(ann, own, **more)


async def test_a_key_gets_nothing_from_one_that_may_do_more(access: Access) -> None:
    great, _ = await access.made("ann", days=1)
    ann = await access.acting("ann", scopes=CHAT)
    with pytest.raises(Forbidden):
        await access.issued.rotate(ann, great.id)
    with pytest.raises(Forbidden):
        await access.issued.change(ann, great.id, expires_at=access.clock.moment + 9 * DAY)
    assert (await access.issued.change(ann, great.id, scopes=CHAT)).scopes == CHAT


async def test_a_successor_does_not_outlive_who_made_it(access: Access) -> None:
    lasting, _ = await access.made("ann")
    ann = await access.acting("ann", days=1)
    successor, _ = await access.issued.rotate(ann, lasting.id)
    assert successor.expires_at == access.clock.moment + DAY


async def test_whose_keys_one_reaches(access: Access) -> None:
    keys = {
        name: (await access.made(name, tenant=home))[0]
        for name, home in (("ann", "a"), ("bob", "a"), ("cid", "c"), ("local", None))
    }
    everyone = set(keys)
    for name, how, reached in (
        ("ann", {"tenant": "a"}, {"ann"}),
        ("eve", {"tenant": "a", "admin": True}, {"ann", "bob"}),
        ("eve2", {"tenant": "a", "admin": True, "scopes": CHAT}, set()),
        ("local", {}, everyone),
        ("local", {"scopes": CHAT}, {"local"}),
    ):
        actor = await access.acting(name, **how)
        for owner, key in keys.items():
            tries = (
                lambda key=key, actor=actor: access.issued.get(actor.principal, key.id),
                lambda key=key, actor=actor: access.issued.change(actor, key.id, name="x"),
                lambda owner=owner, actor=actor: access.issued.create(actor, owner, "x"),
            )
            for trying in tries:
                if owner in reached:
                    await trying()
                else:
                    with pytest.raises(NotFound):
                        await trying()


async def test_rotation_with_overlap(access: Access) -> None:
    old, text = await access.made("ann", scopes=CHAT)
    new, secret = await access.issued.rotate(COMMAND_LINE, old.id)
    assert (new.scopes, new.owner_id, new.name) == (CHAT, "ann", old.name)
    retiring = await access.issued.get(COMMAND_LINE.principal, old.id)
    assert (retiring.replaced_by, retiring.retires_at) == (new.id, access.clock.moment + DAY)
    for shown in (text, secret.reveal()):
        assert (await access.keys.authenticate(shown)).owner_id == "ann"
    access.clock.moment += DAY
    with pytest.raises(Unauthenticated):
        await access.keys.authenticate(text)
    assert await access.keys.authenticate(secret.reveal())
    newest, _ = await access.issued.rotate(COMMAND_LINE, new.id, overlap=timedelta(0))
    with pytest.raises(Unauthenticated):
        await access.keys.authenticate(secret.reveal())
    for ended in (old.id, new.id):
        with pytest.raises(Conflict):
            await access.issued.rotate(COMMAND_LINE, ended)
    await access.issued.revoke(COMMAND_LINE, newest.id)
    with pytest.raises(Conflict):
        await access.issued.rotate(COMMAND_LINE, newest.id)


async def test_keys_in_pages(access: Access) -> None:
    made: list[str] = []
    for _ in range(5):
        key, _ = await access.made("ann")
        access.clock.moment += HOUR
        made.append(key.id)
    which = KeyFilter(owner_id="ann")
    ann = (await access.acting("bob", tenant="ann", admin=True)).principal
    first = await access.issued.page(ann, which, None, 3)
    assert [key.id for key in first.items] == made[:3]
    second = await access.issued.page(ann, which, first.next_cursor, 3)
    assert [key.id for key in second.items] == made[3:]
    assert second.next_cursor is None
    await access.made("cid")
    everyone = await access.issued.page(ann, KeyFilter(), None, 99)
    assert {key.owner_id for key in everyone.items} == {"ann", "bob"}
    with pytest.raises(NotFound):
        await access.issued.page(ann, KeyFilter(tenant_id="cid"), None, 99)
    cid = (await access.acting("cid")).principal
    with pytest.raises(Forbidden):
        await access.issued.page(cid, which, None, 99)
    all_of_them = await access.issued.page(COMMAND_LINE.principal, KeyFilter(), None, 99)
    assert {key.owner_id for key in all_of_them.items} == {"ann", "bob", "cid"}


async def test_the_bootstrap_key_makes_lasting_keys_and_is_not_revoked(access: Access) -> None:
    operator = await access.keys.active("local", BOOTSTRAP_ID)
    assert operator is not None
    key, _ = await access.made("ann")
    assert key.expires_at is None
    with pytest.raises(Conflict):
        await access.issued.revoke(COMMAND_LINE, BOOTSTRAP_ID)


async def test_every_change_is_logged_with_who_made_it(access: Access) -> None:
    ann = await access.acting("ann")
    own = ann.principal.key_id
    await access.issued.change(ann, own, name="new", scopes=Scopes(tools=()))
    await access.issued.change(COMMAND_LINE, own, scopes=Scopes())
    successor, _ = await access.issued.rotate(COMMAND_LINE, own)
    await access.issued.revoke(ann, own)
    await access.issued.revoke(ann, own)
    entries = await access.log.page("ann", limit=99)
    assert [(entry.action, entry.actor_key_id, entry.address) for entry in entries[:5]] == [
        ("key.revoke", own, "192.0.2.1"),
        ("key.rotate", "cli", None),
        ("key.change", "cli", None),
        ("key.change", own, "192.0.2.1"),
        ("key.create", "cli", None),
    ]
    assert entries[1].details == {"owner_id": "ann", "successor": successor.id}
    assert entries[3].details == {"owner_id": "ann", "fields": ["name", "scopes"]}
    assert {entry.object for entry in entries[:5]} == {own}

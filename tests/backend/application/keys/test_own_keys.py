"""API keys: made once, recognised exactly, and everything else refused alike."""

import hmac
import re
from collections.abc import AsyncGenerator
from datetime import timedelta

import pytest
from tests.backend.application.access_fixture import BOOTSTRAP, PEPPER, Access, Clock, Counting
from tests.harness.database import TemporaryDatabase

from cartrita.adapters.persistence.database import Database
from cartrita.application.accounts.names import NAME_MAX
from cartrita.application.keys import own_keys as module
from cartrita.application.keys.api_keys import ApiKeys
from cartrita.application.keys.known_keys import KnownKeys
from cartrita.application.keys.own_keys import BOOTSTRAP_ID, LOOPBACK_ID, OwnKeys
from cartrita.application.keys.secrets import with_checksum
from cartrita.domain.api_keys import KeyFilter
from cartrita.domain.audit import COMMAND_LINE
from cartrita.domain.errors import Conflict, InvalidInput, NotFound, Unauthenticated
from cartrita.domain.principals import LOCAL_OWNER, Principal
from cartrita.domain.scopes import Scopes
from cartrita.kit.secret import Secret

MINUTE = timedelta(minutes=1)
OPERATOR = Principal(LOCAL_OWNER, BOOTSTRAP_ID, admin=True)


@pytest.fixture
async def pool(database: TemporaryDatabase) -> AsyncGenerator[Database]:
    opened = Database(database.dsn, pool_size=2)
    yield opened
    await opened.close()


@pytest.fixture
def access(pool: Database) -> Access:
    return Access(pool)


@pytest.fixture
def clock(access: Access) -> Clock:
    return access.clock


@pytest.fixture
def table(access: Access) -> Counting:
    return access.table


@pytest.fixture
def keys(access: Access) -> OwnKeys:
    return access.own


@pytest.fixture
def issued(access: Access) -> ApiKeys:
    return access.issued


async def refused(keys: OwnKeys, *shown: str) -> None:
    stored_message: set[tuple[str, str]] = set()
    for text in shown:
        with pytest.raises(Unauthenticated) as refusal:
            await keys.authenticate(text)
        stored_message.add((refusal.value.message, refusal.value.code))
    assert len(stored_message) == 1


async def test_a_key_says_whose_it_is(keys: OwnKeys, access: Access) -> None:
    key, text = await access.made()
    assert re.fullmatch(r"ck_[0-9a-f]{16}_[0-9a-f]{48}_[0-9a-f]{8}", text)
    assert text.split("_")[1] == key.id
    assert (key.owner_id, key.name) == ("ann", "my laptop")
    assert await keys.authenticate(text) == Principal("ann", key.id, "ann")


async def test_an_owner_of_its_own(keys: OwnKeys, access: Access) -> None:
    key, text = await access.made(None)
    assert key.owner_id.startswith("owner_")
    assert (await keys.authenticate(text)).owner_id == key.owner_id


async def test_nothing_stored_gives_the_key_away(
    table: Counting, access: Access, issued: ApiKeys
) -> None:
    key, text = await access.made()
    stored = await table.get(key.id)
    assert stored is not None
    assert stored.digest == hmac.digest(b"pepper", text.encode(), "sha256")
    assert text.split("_")[2] not in repr(stored)
    assert repr(await issued.create(COMMAND_LINE, "ann", "x")).count("***") == 1


async def test_a_digest_does_not_depend_on_the_keys_before(
    keys: OwnKeys, table: Counting, access: Access
) -> None:
    for _ in range(3):
        key, text = await access.made()
        await refused(keys, "nonsense", "")
        assert await keys.authenticate(text) == Principal("ann", key.id, "ann")
        stored = await table.get(key.id)
        assert stored is not None
        assert stored.digest == hmac.digest(b"pepper", text.encode(), "sha256")


async def test_typing_mistakes_do_not_reach_the_database(
    keys: OwnKeys, table: Counting, access: Access
) -> None:
    _, text = await access.made()
    wrong = [text[:n] + ("0" if text[n] != "0" else "1") + text[n + 1 :] for n in range(len(text))]
    wrong += [
        text[:n] + text[n + 1] + text[n] + text[n + 2 :]
        for n in range(3, len(text) - 1)
        if text[n] != text[n + 1]
    ]
    wrong += ["", " ", text[:-1], text + "0", f" {text}", text.upper(), "ck___", "x" * 100_000]
    wrong += ["sk-of-somebody-else", "\x00", "\ud800", "ck_٠" + text[4:], text + "\n"]
    await refused(keys, *wrong)
    assert table.asked == 0


async def test_a_key_that_nobody_made_is_refused_alike(keys: OwnKeys, table: Counting) -> None:
    unknown = with_checksum("ck_" + "0" * 16 + "_" + "0" * 48)
    await refused(keys, unknown, "nonsense")
    assert table.asked == 1


async def test_keys_that_are_nearly_equal_are_not_the_same(keys: OwnKeys, access: Access) -> None:
    _, mine = await access.made()
    _, identity, secret, _ = mine.split("_")
    first, last = (str(int(end == "0")) for end in (secret[0], secret[-1]))
    for other in (first + secret[1:], secret[:-1] + last, secret[:24] + "x" * 24):
        # The same id, and the same first or last characters, with a check that holds.
        await refused(keys, with_checksum(f"ck_{identity}_{other}"), "nonsense")


async def test_another_servers_pepper_knows_nothing(table: Counting, access: Access) -> None:
    _, text = await access.made()
    await refused(OwnKeys(table, KnownKeys(table), Secret("salt")), text, "nonsense")


async def test_secrets_are_compared_in_constant_time(
    keys: OwnKeys, monkeypatch: pytest.MonkeyPatch, access: Access
) -> None:
    _, text = await access.made()
    compared: list[tuple[bytes, bytes]] = []

    def compare(one: bytes, other: bytes) -> bool:
        compared.append((one, other))
        return hmac.compare_digest(one, other)

    class Watched:
        compare_digest = staticmethod(compare)
        digest = staticmethod(hmac.digest)

    monkeypatch.setattr(module, "hmac", Watched)
    unknown = with_checksum("ck_" + "0" * 16 + "_" + "0" * 48)
    for shown in ("nonsense", unknown, text[:-9] + "0" + text[-8:]):
        compared.clear()
        await refused(keys, shown)
        assert len(compared) == 2  # the configured key, and a stored or a dummy one
        assert {len(digest) for pair in compared for digest in pair} == {32}
    compared.clear()
    await keys.authenticate(text)
    assert len(compared) == 2


async def test_the_configured_key(keys: OwnKeys, table: Counting, issued: ApiKeys) -> None:
    assert await keys.authenticate(BOOTSTRAP.reveal()) == OPERATOR
    assert table.asked == 0
    await refused(keys, BOOTSTRAP.reveal()[:-1], BOOTSTRAP.reveal() + "x", "nonsense")
    await refused(OwnKeys(table, KnownKeys(table), PEPPER), BOOTSTRAP.reveal(), "nonsense", "")
    with pytest.raises(Conflict, match="CARTRITA_BOOTSTRAP_KEY"):
        await issued.revoke(COMMAND_LINE, BOOTSTRAP_ID)


async def test_a_revoked_key_works_no_more_at_once(
    keys: OwnKeys, access: Access, issued: ApiKeys
) -> None:
    key, text = await access.made()
    await keys.authenticate(text)
    await issued.revoke(COMMAND_LINE, key.id)
    await refused(keys, text, "nonsense")
    await issued.revoke(COMMAND_LINE, key.id)
    [listed] = await issued.list(KeyFilter(owner_id="ann"))
    assert listed.revoked_at is not None


async def test_a_key_revoked_elsewhere_works_no_more_in_seconds(
    keys: OwnKeys, pool: Database, clock: Clock, access: Access
) -> None:
    key, text = await access.made()
    elsewhere = Access(pool)
    await keys.authenticate(text)
    await elsewhere.issued.revoke(COMMAND_LINE, key.id)
    clock.seconds += 2.9
    assert await keys.authenticate(text)  # remembered
    clock.seconds += 0.2
    await refused(keys, text)


async def test_a_known_key_is_remembered_and_an_unknown_one_is_not(
    keys: OwnKeys, table: Counting, access: Access
) -> None:
    _, text = await access.made()
    for _ in range(5):
        await keys.authenticate(text)
    assert table.asked == 1
    unknown = with_checksum("ck_" + "0" * 16 + "_" + "0" * 48)
    await refused(keys, unknown, unknown)
    assert table.asked == 3


async def test_a_key_expires_also_while_it_is_remembered(
    keys: OwnKeys, clock: Clock, access: Access, issued: ApiKeys
) -> None:
    await access.made()
    _, secret = await issued.create(COMMAND_LINE, "ann", "x", expires_at=clock.moment + MINUTE)
    assert await keys.authenticate(secret.reveal())
    clock.moment += MINUTE
    await refused(keys, secret.reveal(), "nonsense")


async def test_names_and_moments_are_checked(access: Access, issued: ApiKeys) -> None:
    await access.made()
    now = access.clock.moment
    for field, trying in [
        ("name", issued.create(COMMAND_LINE, "ann", " ")),
        ("name", issued.create(COMMAND_LINE, "ann", "x" * (NAME_MAX + 1))),
        ("expires_at", issued.create(COMMAND_LINE, "ann", "x", expires_at=now)),
    ]:
        with pytest.raises(InvalidInput) as refusal:
            await trying
        assert list(refusal.value.fields) == [field]
    for nobody in ("", "bob", "an\x00n", "\ud800"):
        with pytest.raises(NotFound):
            await issued.create(COMMAND_LINE, nobody, "x")
    assert len(await issued.list(KeyFilter())) == 1
    key, _ = await issued.create(COMMAND_LINE, "ann", " my\n lap\x00top ")
    assert key.name == "my laptop"


async def test_keys_are_listed_by_owner(access: Access, issued: ApiKeys) -> None:
    ann, _ = await access.made()
    bob, _ = await access.made("bob")
    assert await issued.list(KeyFilter(owner_id="ann")) == [ann]
    assert {key.id for key in await issued.list(KeyFilter())} == {ann.id, bob.id}


async def test_there_is_no_such_key(issued: ApiKeys) -> None:
    for name in ("0" * 16, "", "x\x00", "\ud800", LOOPBACK_ID):
        with pytest.raises(NotFound):
            await issued.revoke(COMMAND_LINE, name)


async def test_a_stored_id_is_looked_up_as_it_is_now(
    keys: OwnKeys, table: Counting, access: Access, issued: ApiKeys
) -> None:
    key, text = await access.made()
    active = await keys.active("ann", key.id)
    assert active is not None
    assert active.principal == await keys.authenticate(text)
    configured = await keys.active(LOCAL_OWNER, BOOTSTRAP_ID)
    assert configured is not None
    assert configured.principal == OPERATOR
    keyless = OwnKeys(table, KnownKeys(table), PEPPER, keyless=True)
    assert await keyless.active(LOCAL_OWNER, LOOPBACK_ID) is not None
    await refused(keyless, LOOPBACK_ID, "nonsense")
    for some, owner_id, key_id in (
        (keys, "bob", key.id),
        (keys, "ann", "0" * 16),
        (keys, "ann", BOOTSTRAP_ID),
        (keys, LOCAL_OWNER, LOOPBACK_ID),
        (keyless, LOCAL_OWNER, BOOTSTRAP_ID),
    ):
        assert await some.active(owner_id, key_id) is None
    await issued.revoke(COMMAND_LINE, key.id)
    assert await keys.active("ann", key.id) is None


async def test_the_local_persons_first_key_that_works(
    keys: OwnKeys, table: Counting, access: Access, issued: ApiKeys
) -> None:
    assert await keys.local_principal() == OPERATOR
    loopback = Principal(LOCAL_OWNER, LOOPBACK_ID, admin=True)
    assert (
        await OwnKeys(table, KnownKeys(table), PEPPER, keyless=True).local_principal() == loopback
    )
    bare = OwnKeys(table, KnownKeys(table), PEPPER)
    await access.made()
    await access.made(LOCAL_OWNER, scopes=Scopes(operations=("chat",)))
    assert await bare.local_principal() is None
    first, _ = await access.made(LOCAL_OWNER)
    access.clock.moment += MINUTE
    second, _ = await access.made(LOCAL_OWNER)
    assert await bare.local_principal() == Principal(LOCAL_OWNER, first.id, admin=True)
    await issued.revoke(COMMAND_LINE, first.id)
    assert await bare.local_principal() == Principal(LOCAL_OWNER, second.id, admin=True)

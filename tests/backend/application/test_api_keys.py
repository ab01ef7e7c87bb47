"""API keys: made once, recognised exactly, and everything else refused alike."""

import hmac
import re
from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta

import pytest
from tests.harness.database import TemporaryDatabase

from cartrita.adapters.persistence.api_keys import ApiKeyTable
from cartrita.adapters.persistence.database import Database
from cartrita.application import api_keys as module
from cartrita.application.api_keys import BOOTSTRAP_ID, LOOPBACK_ID, NAME_MAX, ApiKeys
from cartrita.domain.api_keys import ApiKey, StoredApiKey
from cartrita.domain.errors import Conflict, InvalidInput, NotFound, Unauthenticated
from cartrita.domain.principals import LOCAL_OWNER, Principal
from cartrita.kit.secret import Secret

PEPPER = Secret("pepper")
BOOTSTRAP = Secret("a bootstrap key of at least 32 characters")
MINUTE = timedelta(minutes=1)


class Clock:
    """Stands still until it is told otherwise."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 11, 21, tzinfo=UTC)
        self.seconds = 1000.0

    def now(self) -> datetime:
        return self.moment

    def monotonic(self) -> float:
        return self.seconds


class Counting(ApiKeyTable):
    """The real table, with a count of how often it was asked."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.asked = 0

    async def get(self, key_id: str) -> StoredApiKey | None:
        self.asked += 1
        return await super().get(key_id)


@pytest.fixture
async def table(database: TemporaryDatabase) -> AsyncGenerator[Counting]:
    pool = Database(database.dsn, pool_size=2)
    yield Counting(pool)
    await pool.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def keys(table: Counting, clock: Clock) -> ApiKeys:
    return ApiKeys(table, PEPPER, BOOTSTRAP, now=clock.now, monotonic=clock.monotonic)


async def made(keys: ApiKeys, owner_id: str | None = "ann") -> tuple[ApiKey, str]:
    key, secret = await keys.create(owner_id, "my laptop")
    return key, secret.reveal()


async def refused(keys: ApiKeys, *shown: str) -> None:
    stored_message: set[tuple[str, str]] = set()
    for text in shown:
        with pytest.raises(Unauthenticated) as refusal:
            await keys.authenticate(text)
        stored_message.add((refusal.value.message, refusal.value.code))
    assert len(stored_message) == 1


async def test_a_key_says_whose_it_is(keys: ApiKeys) -> None:
    key, text = await made(keys)
    assert re.fullmatch(r"ck_[0-9a-f]{16}_[0-9a-f]{48}_[0-9a-f]{8}", text)
    assert text.split("_")[1] == key.id
    assert (key.owner_id, key.name) == ("ann", "my laptop")
    assert await keys.authenticate(text) == Principal("ann", key.id)


async def test_an_owner_of_its_own(keys: ApiKeys) -> None:
    key, text = await made(keys, None)
    assert key.owner_id == f"owner_{key.id}"
    assert (await keys.authenticate(text)).owner_id == key.owner_id


async def test_nothing_stored_gives_the_key_away(keys: ApiKeys, table: Counting) -> None:
    key, text = await made(keys)
    stored = await table.get(key.id)
    assert stored is not None
    assert stored.digest == hmac.digest(b"pepper", text.encode(), "sha256")
    assert text.split("_")[2] not in repr(stored)
    assert repr(await keys.create("ann", "x")).count("***") == 1


async def test_a_digest_does_not_depend_on_the_keys_before(keys: ApiKeys, table: Counting) -> None:
    for _ in range(3):
        key, text = await made(keys)
        await refused(keys, "nonsense", "")
        assert await keys.authenticate(text) == Principal("ann", key.id)
        stored = await table.get(key.id)
        assert stored is not None
        assert stored.digest == hmac.digest(b"pepper", text.encode(), "sha256")


async def test_typing_mistakes_do_not_reach_the_database(keys: ApiKeys, table: Counting) -> None:
    _, text = await made(keys)
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


async def test_a_key_that_nobody_made_is_refused_alike(keys: ApiKeys, table: Counting) -> None:
    unknown = module._with_checksum("ck_" + "0" * 16 + "_" + "0" * 48)
    await refused(keys, unknown, "nonsense")
    assert table.asked == 1


async def test_keys_that_are_nearly_equal_are_not_the_same(keys: ApiKeys) -> None:
    _, mine = await made(keys)
    _, identity, secret, _ = mine.split("_")
    first, last = (str(int(end == "0")) for end in (secret[0], secret[-1]))
    for other in (first + secret[1:], secret[:-1] + last, secret[:24] + "x" * 24):
        # The same id, and the same first or last characters, with a check that holds.
        await refused(keys, module._with_checksum(f"ck_{identity}_{other}"), "nonsense")


async def test_another_servers_pepper_knows_nothing(keys: ApiKeys, table: Counting) -> None:
    _, text = await made(keys)
    await refused(ApiKeys(table, Secret("salt")), text, "nonsense")


async def test_secrets_are_compared_in_constant_time(
    keys: ApiKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, text = await made(keys)
    compared: list[tuple[bytes, bytes]] = []

    def compare(one: bytes, other: bytes) -> bool:
        compared.append((one, other))
        return hmac.compare_digest(one, other)

    class Watched:
        compare_digest = staticmethod(compare)
        digest = staticmethod(hmac.digest)

    monkeypatch.setattr(module, "hmac", Watched)
    unknown = module._with_checksum("ck_" + "0" * 16 + "_" + "0" * 48)
    for shown in ("nonsense", unknown, text[:-9] + "0" + text[-8:]):
        compared.clear()
        await refused(keys, shown)
        assert len(compared) == 2  # the configured key, and a stored or a dummy one
        assert {len(digest) for pair in compared for digest in pair} == {32}
    compared.clear()
    await keys.authenticate(text)
    assert len(compared) == 2


async def test_the_configured_key(keys: ApiKeys, table: Counting) -> None:
    assert await keys.authenticate(BOOTSTRAP.reveal()) == Principal(LOCAL_OWNER, BOOTSTRAP_ID)
    assert table.asked == 0
    await refused(keys, BOOTSTRAP.reveal()[:-1], BOOTSTRAP.reveal() + "x", "nonsense")
    await refused(ApiKeys(table, PEPPER), BOOTSTRAP.reveal(), "nonsense", "")
    with pytest.raises(Conflict, match="CARTRITA_BOOTSTRAP_KEY"):
        await keys.revoke(BOOTSTRAP_ID)


async def test_a_revoked_key_works_no_more_at_once(keys: ApiKeys) -> None:
    key, text = await made(keys)
    await keys.authenticate(text)
    await keys.revoke(key.id)
    await refused(keys, text, "nonsense")
    await keys.revoke(key.id)
    [listed] = await keys.list("ann")
    assert listed.revoked_at is not None


async def test_a_key_revoked_elsewhere_works_no_more_in_seconds(
    keys: ApiKeys, table: Counting, clock: Clock
) -> None:
    key, text = await made(keys)
    elsewhere = ApiKeys(table, PEPPER)
    await keys.authenticate(text)
    await elsewhere.revoke(key.id)
    clock.seconds += 2.9
    assert await keys.authenticate(text)  # remembered
    clock.seconds += 0.2
    await refused(keys, text)


async def test_a_known_key_is_remembered_and_an_unknown_one_is_not(
    keys: ApiKeys, table: Counting
) -> None:
    _, text = await made(keys)
    for _ in range(5):
        await keys.authenticate(text)
    assert table.asked == 1
    unknown = module._with_checksum("ck_" + "0" * 16 + "_" + "0" * 48)
    await refused(keys, unknown, unknown)
    assert table.asked == 3


async def test_a_key_expires_also_while_it_is_remembered(keys: ApiKeys, clock: Clock) -> None:
    _, secret = await keys.create("ann", "x", clock.moment + MINUTE)
    assert await keys.authenticate(secret.reveal())
    clock.moment += MINUTE
    await refused(keys, secret.reveal(), "nonsense")


async def test_names_and_moments_are_checked(keys: ApiKeys, clock: Clock) -> None:
    for field, trying in [
        ("name", keys.create("ann", " ")),
        ("name", keys.create("ann", "x" * (NAME_MAX + 1))),
        ("owner", keys.create("", "x")),
        ("owner", keys.create("x" * (NAME_MAX + 1), "x")),
        ("expires_at", keys.create("ann", "x", clock.moment)),
    ]:
        with pytest.raises(InvalidInput) as refusal:
            await trying
        assert list(refusal.value.fields) == [field]
    assert await keys.list() == []
    key, _ = await keys.create(" an\x00n ", " my\n laptop ")
    assert (key.owner_id, key.name) == ("ann", "my laptop")


async def test_keys_are_listed_by_owner(keys: ApiKeys) -> None:
    ann, _ = await made(keys)
    bob, _ = await made(keys, "bob")
    assert await keys.list("ann") == [ann]
    assert {key.id for key in await keys.list()} == {ann.id, bob.id}


async def test_there_is_no_such_key(keys: ApiKeys) -> None:
    for name in ("0" * 16, "", "x\x00", "\ud800", LOOPBACK_ID):
        with pytest.raises(NotFound):
            await keys.revoke(name)


async def test_what_stands(keys: ApiKeys, table: Counting, clock: Clock) -> None:
    key, _ = await made(keys)
    mine = Principal("ann", key.id)
    assert await keys.active_digest(mine) is not None
    assert await keys.active_digest(Principal("bob", key.id)) is None
    assert await keys.active_digest(Principal("ann", "0" * 16)) is None
    assert await keys.active_digest(Principal(LOCAL_OWNER, BOOTSTRAP_ID)) is not None
    assert await keys.active_digest(Principal("ann", BOOTSTRAP_ID)) is None
    assert await keys.active_digest(Principal(LOCAL_OWNER, LOOPBACK_ID)) is None
    keyless = ApiKeys(table, PEPPER, keyless=True)
    assert await keyless.active_digest(Principal(LOCAL_OWNER, LOOPBACK_ID)) is not None
    assert await keyless.active_digest(Principal(LOCAL_OWNER, BOOTSTRAP_ID)) is None
    await refused(keyless, LOOPBACK_ID, "nonsense")
    await keys.revoke(key.id)
    assert await keys.active_digest(mine) is None


async def test_the_local_persons_first_key_that_works(keys: ApiKeys, table: Counting) -> None:
    assert await keys.local_principal() == Principal(LOCAL_OWNER, BOOTSTRAP_ID)
    assert await ApiKeys(table, PEPPER, keyless=True).local_principal() == Principal(
        LOCAL_OWNER, LOOPBACK_ID
    )
    bare = ApiKeys(table, PEPPER)
    await made(bare)
    assert await bare.local_principal() is None
    first, _ = await made(bare, LOCAL_OWNER)
    second, _ = await made(bare, LOCAL_OWNER)
    assert await bare.local_principal() == Principal(LOCAL_OWNER, first.id)
    await bare.revoke(first.id)
    assert await bare.local_principal() == Principal(LOCAL_OWNER, second.id)

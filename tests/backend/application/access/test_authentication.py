"""Keys are authenticated and looked up by their kinds: of this server, or brought."""

import pytest
from tests.backend.application.brought_keys_fixture import ONE, Keys
from tests.harness.database import TemporaryDatabase

from cartrita.adapters.persistence.api_keys import ApiKeyTable
from cartrita.adapters.persistence.database import Database
from cartrita.application.access.authentication import KeyAuthentication
from cartrita.application.keys.kinds import UNTOLD
from cartrita.application.keys.known_keys import KnownKeys
from cartrita.application.keys.own_keys import OwnKeys
from cartrita.domain.errors import Unauthenticated
from cartrita.kit.secret import Secret


async def test_those_that_were_brought_are_looked_up_like_keys_of_the_server(
    database: TemporaryDatabase,
) -> None:
    here, pool = Keys(ONE, ttl_s=10.0), Database(database.dsn, pool_size=1)
    table = ApiKeyTable(pool)
    own = OwnKeys(table, KnownKeys(table), Secret("pepper"))
    keys, without = KeyAuthentication(own, here.keys), KeyAuthentication(own)
    try:
        principal = await here.keys.authenticate(ONE)
        found = await keys.active(principal.owner_id, principal.key_id)
        assert found is not None
        assert found.principal == principal
        assert keys.recognises(ONE, UNTOLD)
        assert await keys.authenticate(ONE, UNTOLD) == principal
        assert not keys.recognises(ONE)
        with pytest.raises(Unauthenticated):
            await keys.authenticate(ONE)
        with pytest.raises(Unauthenticated):
            await without.authenticate(ONE, UNTOLD)
        assert not keys.any_unknown([principal.key_id])
        assert not keys.ended(principal, gone=[principal.key_id])
        assert await without.active(principal.owner_id, principal.key_id) is None
        assert without.ended(principal)
        here.clock.seconds += 3600
        assert keys.ended(principal)
        assert await keys.active(principal.owner_id, principal.key_id) is None
    finally:
        await pool.close()

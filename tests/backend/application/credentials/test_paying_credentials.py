"""What pays for calls is the key that their owner is known by, or a stored one."""

import pytest
from tests.backend.application.brought_keys_fixture import ONE, Keys

from cartrita.application.credentials.paying_credentials import PayingCredentials
from cartrita.application.keys.brought_keys import (
    ProviderKeyGone,
)
from cartrita.domain.credentials import NO_CREDENTIALS, CredentialsByProvider, Payer


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

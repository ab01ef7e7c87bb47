"""Keys of services are tried at the service, and others elsewhere."""

import pytest
from tests.backend.fake_services import FakeService

from cartrita.application.credentials.service_keys import ServiceKeyValidator
from cartrita.domain.errors import UpstreamAuth, UpstreamQuota, UpstreamUnreachable
from cartrita.kit.secret import Secret


class Providers:
    """Accepts one key."""

    async def accepts(self, provider: str, key: Secret) -> bool:
        return (provider, key.reveal()) == ("openai", "sk-good")


async def test_keys() -> None:
    service = FakeService("tavily", "key-of-the-server")
    keys = ServiceKeyValidator([service], Providers())
    assert await keys.accepts("openai", Secret("sk-good"))
    assert not await keys.accepts("openai", Secret("sk-wrong"))
    assert await keys.accepts("tavily", Secret("tvly"))
    service.failures = [
        UpstreamAuth("-", provider="tavily"),
        UpstreamQuota("-", provider="tavily"),
        UpstreamUnreachable("-", provider="tavily"),
    ]
    assert not await keys.accepts("tavily", Secret("tvly"))
    assert await keys.accepts("tavily", Secret("tvly"))
    with pytest.raises(UpstreamUnreachable):
        await keys.accepts("tavily", Secret("tvly"))
    assert service.asked == ["tvly"] * 4

"""The keys of providers that callers send instead of a key of this server."""

from collections.abc import Iterable

from cartrita.adapters.providers.registry import provider_spec
from cartrita.adapters.search import brave, github, tavily
from cartrita.adapters.speech import deepgram
from cartrita.application.keys.brought_keys import BroughtKeys
from cartrita.application.keys.provider_shapes import KeyShapes
from cartrita.assembly.providers import OpenedProvider
from cartrita.domain.ports.credentials import KeyValidator
from cartrita.domain.ports.providers import takes_keys
from cartrita.kit.secret import Secret, derive_secret
from cartrita.settings import Settings

_KEYS_OF_SERVICES = {
    tavily.NAME: tavily.KEY_PREFIXES,
    brave.NAME: brave.KEY_PREFIXES,
    github.NAME: github.KEY_PREFIXES,
    deepgram.NAME: deepgram.KEY_PREFIXES,
}


def create_brought_keys(
    settings: Settings, providers: Iterable[OpenedProvider], validator: KeyValidator, secret: Secret
) -> BroughtKeys:
    """What authenticates the keys of these providers, the preferred one first, and of services."""
    names = [one.summary.name for one in providers if takes_keys(one.entry.provider)]
    shapes = {name: provider_spec(name).key_prefixes for name in names}
    return BroughtKeys(
        KeyShapes({**shapes, **_KEYS_OF_SERVICES}),
        validator,
        derive_secret(secret, "byok"),
        configured=_own_keys(settings),
        ttl_s=settings.auth.byok_ttl_s,
    )


def _own_keys(settings: Settings) -> dict[str, Secret]:
    """The keys that are configured, by provider."""
    keys = {one.name: one.api_key for one in settings.providers.entries} | {
        tavily.NAME: settings.tavily.api_key,
        brave.NAME: settings.brave.api_key,
        github.NAME: settings.github.api_key,
        deepgram.NAME: settings.deepgram.api_key,
    }
    return {name: key for name, key in keys.items() if key is not None}

"""The keys of providers that callers send instead of a key of this server."""

from collections.abc import Iterable

from cartrita.adapters.providers.registry import provider_spec
from cartrita.application.brought_keys import BroughtKeys
from cartrita.application.provider_key_shapes import KeyShapes
from cartrita.assembly.providers import OpenedProvider
from cartrita.domain.ports.credentials import KeyValidator
from cartrita.domain.ports.providers import takes_keys
from cartrita.kit.secret import Secret, derive_secret
from cartrita.settings import Settings


def create_brought_keys(
    settings: Settings, providers: Iterable[OpenedProvider], validator: KeyValidator, secret: Secret
) -> BroughtKeys:
    """What authenticates the keys of these providers, the preferred one first."""
    names = [one.summary.name for one in providers if takes_keys(one.entry.provider)]
    return BroughtKeys(
        KeyShapes({name: provider_spec(name).key_prefixes for name in names}),
        validator,
        derive_secret(secret, "byok"),
        configured={
            one.name: one.api_key for one in settings.providers.entries if one.api_key is not None
        },
        ttl_s=settings.auth.byok_ttl_s,
    )

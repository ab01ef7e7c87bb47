"""Validation of providers' keys: the provider is asked once whether it accepts one."""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Final

from cartrita.application.credentials.provider_checks import (
    CheckedProvider,
    ask_briefly,
    choose_model,
)
from cartrita.domain.errors import (
    NotFound,
    UpstreamAuth,
    UpstreamQuota,
    UpstreamRejected,
    UpstreamUnreachable,
)
from cartrita.domain.ports.providers import ModelProvider, takes_keys
from cartrita.kit.secret import Secret

_SECONDS: Final = 30.0
_FORBIDDEN: Final = 403


class ProviderKeyValidator:
    """Asks providers whether they accept a key: implements KeyValidator.

    One whose list of models anybody may read is asked for a short answer, which costs the key's
    owner a few tokens. `unconfigured` says how other known providers are configured.
    """

    def __init__(
        self,
        providers: Iterable[CheckedProvider],
        *,
        unconfigured: Mapping[str, str] | None = None,
    ) -> None:
        self._providers = {one.summary.name: one for one in providers}
        self._unconfigured = unconfigured or {}

    async def accepts(self, provider: str, key: Secret) -> bool:
        """See KeyValidator."""
        checked = self._find(provider)
        assert takes_keys(checked.provider)
        try:
            keyed = checked.provider.with_key(key)
        except ValueError:  # no header can carry it
            return False
        try:
            async with asyncio.timeout(_SECONDS):
                await _try(keyed, checked)
        except UpstreamAuth:
            return False
        except UpstreamQuota:  # it is known there
            return True
        except TimeoutError:
            raise UpstreamUnreachable(
                f"{provider} did not say in time whether it accepts this key; try again.",
                provider=provider,
            ) from None
        return True

    def _find(self, name: str) -> CheckedProvider:
        checked = self._providers.get(name)
        if checked is None or not takes_keys(checked.provider):
            sentence = self._unconfigured.get(name) or (
                f"There is no provider {name[:200]} that takes a key here."
            )
            raise NotFound(sentence, code="provider_not_configured")
        return checked


async def _try(keyed: ModelProvider, checked: CheckedProvider) -> None:
    names = [*checked.configured]
    try:
        found = await keyed.models()
        if checked.private_list:
            return
        names += [one.name for one in found if "embeddings" not in one.profile.capabilities]
    except (UpstreamRejected, UpstreamAuth) as error:
        if isinstance(error, UpstreamAuth) and error.status != _FORBIDDEN:
            raise  # else it has no list, or not for this key
    model = choose_model(checked.summary.default_model, names)
    if model is None:
        name = checked.summary.name
        raise NotFound(f"{name} lists no model to try this key with.", code="model_not_found")
    await ask_briefly(keyed, model)

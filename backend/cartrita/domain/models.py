"""Models that providers offer."""

import msgspec


class ModelProfile(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a model can do, as far as known; `context_tokens` is the size of its context window."""

    capabilities: tuple[str, ...] = ("text", "stream")
    context_tokens: int | None = None


class ModelInfo(msgspec.Struct, frozen=True):
    """One model at one provider; `name` is the provider's name for it."""

    provider: str
    name: str
    profile: ModelProfile = ModelProfile()

    @property
    def id(self) -> str:
        """`provider/name`: the unambiguous name of the model."""
        return f"{self.provider}/{self.name}"

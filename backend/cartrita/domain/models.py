"""Models on offer."""

import msgspec


class Profile(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a model can do, as far as it is known; `context_tokens` is its whole window."""

    capabilities: tuple[str, ...] = ("text", "stream")
    context_tokens: int | None = None


class ModelInfo(msgspec.Struct, frozen=True):
    """One model at one provider; `name` is the provider's own."""

    provider: str
    name: str
    profile: Profile = Profile()

    @property
    def id(self) -> str:
        """`provider/name`: the address by which it can always be asked for."""
        return f"{self.provider}/{self.name}"

"""Configured providers as they are shown, and the reports of connection tests."""

import msgspec


class ProviderSummary(msgspec.Struct, frozen=True, kw_only=True):
    """How a provider is configured, without secrets.

    `dialect` is None where no wire is spoken, as with the offline model. `base_url` has neither
    user nor query. `has_credential` says whether it is called with a key or a token.
    """

    name: str
    dialect: str | None = None
    base_url: str | None = None
    has_credential: bool = False
    default_model: str | None = None


class CheckStep(msgspec.Struct, frozen=True, kw_only=True):
    """One step of a connection test; `seconds` is how long it took.

    `detail` is a sentence. A failed step has the `code` of its error, the HTTP `status` if there
    was one, and `advice`: what to do about it.
    """

    name: str
    ok: bool
    seconds: float
    detail: str
    code: str | None = None
    status: int | None = None
    advice: str | None = None


class CheckReport(msgspec.Struct, frozen=True):
    """A connection test of one provider."""

    provider: str
    steps: tuple[CheckStep, ...]

    @property
    def ok(self) -> bool:
        """Whether every step succeeded."""
        return all(step.ok for step in self.steps)

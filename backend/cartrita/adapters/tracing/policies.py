"""What is traced, and how it is sent."""

from typing import Literal, TypeAlias

import msgspec

from cartrita.kit.secret import Secret

ContentPolicy: TypeAlias = Literal["full", "redacted", "none"]


class TracingPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """How traces are told and sent; the configuration reference describes each."""

    environment: str | None
    release: str
    flush_s: float
    send_timeout_s: float
    pending_max: int
    pending_bytes: int

    @property
    def resource(self) -> dict[str, str]:
        """What every trace of this process is told with."""
        told = {"service.name": "cartrita", "service.version": self.release}
        if self.environment is not None:
            told["deployment.environment.name"] = self.environment
        return told


class LangfuseProject(msgspec.Struct, frozen=True, kw_only=True):
    """A project of Langfuse, with its keys."""

    address: str
    public_key: str
    secret_key: Secret


class Collector(msgspec.Struct, frozen=True, kw_only=True):
    """A collector of OpenTelemetry; `headers` are as in OTEL_EXPORTER_OTLP_HEADERS."""

    address: str
    headers: Secret | None

"""What is traced, and how it is sent."""

from typing import Literal, TypeAlias
from urllib.parse import unquote

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

    @property
    def url(self) -> str:
        """Where it takes traces."""
        return f"{self.address}/v1/traces"

    @property
    def fields(self) -> dict[str, str]:
        """The headers by name: they are `name=value,name=value`, with percent signs as in a URL."""
        text = "" if self.headers is None else self.headers.reveal()
        pairs = [pair.partition("=") for pair in text.split(",")]
        return {
            unquote(name.strip()).lower(): unquote(value.strip())
            for name, equals, value in pairs
            if equals and name.strip()
        }

"""The providers that are known by name: their wire, their address, their environment names."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

Dialect: TypeAlias = Literal["openai", "anthropic"]
EXTRA_DIALECTS = ("openai",)
"""What a provider of the operator's own may speak; grows with the dialects that can be called."""


@dataclass(frozen=True, slots=True)
class Vendor:
    """One row. Of several names of one kind the first that is set counts.

    `dialect` is None for a service that is no model; `port` marks a server on this machine;
    `version` is added to an address without a path; `documented` as in `Setting`.
    """

    name: str
    dialect: Dialect | None
    base_url: str
    keys: tuple[str, ...]
    urls: tuple[str, ...]
    models: tuple[str, ...] = ()
    port: int | None = None
    version: str = ""
    documented: bool = False


def _vendor(name: str, dialect: Dialect | None, base_url: str, *, documented: bool) -> Vendor:
    upper = name.upper()
    version = "/v1" if dialect == "openai" else ""
    keys, urls = (f"{upper}_API_KEY",), (f"{upper}_BASE_URL",)
    return Vendor(name, dialect, base_url, keys, urls, version=version, documented=documented)


def _local(name: str, port: int) -> Vendor:
    keys, urls = (f"{name.upper()}_API_KEY",), (f"{name.upper()}_BASE_URL",)
    base_url = f"http://127.0.0.1:{port}/v1"
    return Vendor(name, "openai", base_url, keys, urls, port=port, version="/v1", documented=True)


_ANTHROPIC = Vendor(
    "anthropic",
    "anthropic",
    "https://api.anthropic.com",
    keys=("ANTHROPIC_API_KEY",),
    urls=("ANTHROPIC_BASE_URL", "ANTHROPIC_API_URL"),
    models=("ANTHROPIC_MODEL",),
)
_COMET = Vendor(
    "comet",
    "anthropic",
    "https://api.cometapi.com",
    keys=("COMET_API_KEY",),
    urls=("COMET_API_BASE_URL", "COMET_BASE_URL"),
)
_OCA = Vendor(
    "oca",
    "openai",
    "",  # there is no usual one: LLM_API_URL brings it
    keys=("OCA_API_KEY",),
    urls=("LLM_API_URL", "OCA_BASE_URL"),
    models=("LLM_MODEL_NAME",),
)

VENDORS = (
    _vendor("openai", "openai", "https://api.openai.com/v1", documented=True),
    _ANTHROPIC,
    _COMET,
    _vendor("huggingface", "openai", "https://router.huggingface.co/v1", documented=True),
    _OCA,
    _local("ollama", 11434),
    _local("lmstudio", 1234),
    _local("llamacpp", 8080),
    _local("vllm", 8000),
    _local("litellm", 4000),
    _vendor("deepgram", None, "https://api.deepgram.com", documented=False),
    _vendor("tavily", None, "https://api.tavily.com", documented=False),
    _vendor("github", None, "https://api.github.com", documented=False),
)
"""In the order in which they are chosen from where nobody chose."""

LOCAL_PORTS = {vendor.name: vendor.port for vendor in VENDORS if vendor.port is not None}


def vendors(api_provider: str | None) -> tuple[Vendor, ...]:
    """The rows, as API_PROVIDER bends them.

    With API_PROVIDER=comet, ANTHROPIC_API_KEY and ANTHROPIC_MODEL are Comet's. They are never
    both vendors': a key must not reach a house that it was not issued by.
    """
    if api_provider != "comet":
        return VENDORS
    return tuple(_bent(vendor) for vendor in VENDORS)


def _bent(vendor: Vendor) -> Vendor:
    if vendor.name == "anthropic":
        return Vendor(vendor.name, vendor.dialect, vendor.base_url, keys=(), urls=vendor.urls)
    if vendor.name == "comet":
        keys = (*vendor.keys, *_ANTHROPIC.keys)
        models = _ANTHROPIC.models
        return Vendor("comet", vendor.dialect, vendor.base_url, keys, vendor.urls, models)
    return vendor


def variable_names() -> frozenset[str]:
    """Every environment name in the table."""
    return frozenset(
        name for vendor in VENDORS for name in (*vendor.keys, *vendor.urls, *vendor.models)
    )

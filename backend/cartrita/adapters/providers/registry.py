"""The model providers known by name, as data: a new one is one row."""

from typing import Literal, TypeAlias

import msgspec

from cartrita.dialects.openai_chat.request_types import ServerOptions

Dialect: TypeAlias = Literal["openai_chat", "openai_responses", "anthropic_messages"]
"""The wire format of a provider: the name of its folder in `cartrita.dialects`."""


class ProviderSpec(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a provider before anybody configures it.

    `base_url` is its usual address; empty where there is none. `key_variables`, `url_variables` and
    `model_variables` are the environment variables of its key, address and default model; of
    several, the first that is set counts. `default_path` is appended to a configured address that
    has no path. `port` marks a model server on this machine, and is where it usually listens.
    `key_header` is where its key is sent; None means where its dialect has it. `second_dialect` is
    asked where the first is missing. `relays` are further dialects in which it can be addressed.
    `default_model` answers a request that names no model; None means the first model that it
    lists, and so does `any_model` where it lists others but not that one. Bare names that begin
    with one of `model_prefixes` are its own, and so are keys that begin with one of
    `key_prefixes`. A `private_list` of models is shown for a good key only.
    """

    name: str
    dialect: Dialect = "openai_chat"
    base_url: str
    key_variables: tuple[str, ...]
    url_variables: tuple[str, ...]
    model_variables: tuple[str, ...] = ()
    default_path: str = ""
    port: int | None = None
    default_model: str | None = None
    any_model: bool = False
    server_options: ServerOptions = ServerOptions()
    relays: tuple[Dialect, ...] = ()
    key_header: Literal["authorization", "x-api-key"] | None = None
    second_dialect: Dialect | None = None
    model_prefixes: tuple[str, ...] = ()
    key_prefixes: tuple[str, ...] = ()
    private_list: bool = False

    @property
    def variable_names(self) -> tuple[str, ...]:
        """All its environment variables."""
        return (*self.key_variables, *self.url_variables, *self.model_variables)

    @property
    def bearer(self) -> bool:
        """Whether its key is sent in the `Authorization` header."""
        usual = "x-api-key" if self.dialect == "anthropic_messages" else "authorization"
        return (self.key_header or usual) == "authorization"

    @property
    def local(self) -> bool:
        """Whether it is a model server on this machine."""
        return self.port is not None


def custom_provider(name: str, base_url: str = "") -> ProviderSpec:
    """The row of a provider that is not in the table: an OpenAI-compatible server."""
    prefix = name.upper().replace("-", "_")
    return ProviderSpec(
        name=name,
        base_url=base_url,
        key_variables=(f"{prefix}_API_KEY",),
        url_variables=(f"{prefix}_BASE_URL",),
    )


def _local(name: str, port: int) -> ProviderSpec:
    return msgspec.structs.replace(
        custom_provider(name, f"http://127.0.0.1:{port}/v1"),
        default_path="/v1",
        port=port,
    )


_ROWS = (
    ProviderSpec(
        name="openai",
        base_url="https://api.openai.com/v1",
        key_variables=("OPENAI_API_KEY",),
        url_variables=("OPENAI_BASE_URL",),
        model_prefixes=(
            "gpt-3",
            "gpt-4",
            "gpt-5",
            "gpt-6",
            "chatgpt-",
            "o1",
            "o3",
            "o4",
            "text-embedding-",
        ),
        default_path="/v1",
        default_model="gpt-5.4",
        server_options=ServerOptions(limit_field="max_completion_tokens"),
        relays=("openai_responses",),
        key_prefixes=("sk-",),
        private_list=True,
    ),
    ProviderSpec(
        name="anthropic",
        dialect="anthropic_messages",
        base_url="https://api.anthropic.com",
        key_variables=("ANTHROPIC_API_KEY",),
        url_variables=("ANTHROPIC_BASE_URL", "ANTHROPIC_API_URL"),
        model_variables=("ANTHROPIC_MODEL",),
        model_prefixes=("claude-",),
        default_model="claude-opus-4-6",
        key_prefixes=("sk-ant-",),
        private_list=True,
    ),
    ProviderSpec(
        name="comet",
        dialect="anthropic_messages",
        base_url="https://api.cometapi.com",
        key_variables=("COMET_API_KEY",),
        url_variables=("COMET_API_BASE_URL", "COMET_BASE_URL"),
        default_model="claude-opus-4-6",
        key_header="authorization",
        second_dialect="openai_chat",
        model_prefixes=("claude-",),
        key_prefixes=("sk-",),
    ),
    ProviderSpec(
        name="huggingface",
        base_url="https://router.huggingface.co/v1",
        key_variables=("HUGGINGFACE_API_KEY",),
        url_variables=("HUGGINGFACE_BASE_URL",),
        default_path="/v1",
        default_model="openai/gpt-oss-120b",
        any_model=True,
        key_prefixes=("hf_",),
    ),
    ProviderSpec(
        name="oca",
        base_url="",  # there is no usual one: LLM_API_URL brings it
        key_variables=("OCA_API_KEY",),
        url_variables=("LLM_API_URL", "OCA_BASE_URL"),
        model_variables=("LLM_MODEL_NAME",),
    ),
    _local("ollama", 11434),
    _local("lmstudio", 1234),
    _local("llamacpp", 8080),
    _local("vllm", 8000),
    _local("litellm", 4000),
)

PROVIDERS: dict[str, ProviderSpec] = {row.name: row for row in _ROWS}
"""By name, in the order of preference if the user selects none."""

LOCAL_PORTS = {row.name: row.port for row in _ROWS if row.port is not None}
"""The usual ports of model servers on this machine."""


def provider_spec(name: str, base_url: str = "") -> ProviderSpec:
    """The row of a name; an unknown one is an OpenAI-compatible server at `base_url`."""
    return PROVIDERS.get(name) or custom_provider(name, base_url)

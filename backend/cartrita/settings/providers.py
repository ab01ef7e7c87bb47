"""Settings of the model providers, their timeouts, and the offline model."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from cartrita.adapters.providers.oauth import ClientAuth
from cartrita.adapters.providers.registry import LOCAL_PORTS, Dialect
from cartrita.settings.fields import Group, Setting
from cartrita.settings.types import FilePath, Key, LocalServer, LocalServers, Texts, WebUrl, Word


class ConfiguredClient(BaseModel):
    """A client of a token endpoint."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", arbitrary_types_allowed=True, hide_input_in_errors=True
    )
    token_url: WebUrl
    client_id: Word
    client_secret: Key
    scope: str = ""
    client_auth: ClientAuth | None = None


class ConfiguredProvider(BaseModel):
    """A model provider with its address and key."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", arbitrary_types_allowed=True, hide_input_in_errors=True
    )
    name: str
    dialect: Dialect
    base_url: WebUrl
    api_key: Key | None = None
    models: Texts = ()
    default_model: Word | None = None
    oauth: ConfiguredClient | None = None


class Providers(Group):
    """Which models answer, and how long they may take."""

    default_model: Annotated[
        Word | None,
        Setting(
            "The model of a chat that names none, as provider/model.",
            env="CARTRITA_DEFAULT_MODEL",
            value="provider/model",
            example="openai/gpt-5.4",
            default="of the first provider there is",
        ),
    ] = None
    api_provider: Annotated[
        Word | None,
        Setting(
            "The provider of a chat that names none.",
            env="API_PROVIDER",
            value="a provider's name",
            example="openai",
            default="the first there is",
        ),
    ] = None
    discover_local: Annotated[
        bool,
        Setting("Look for model servers on this machine at start.", env="CARTRITA_DISCOVER_LOCAL"),
    ] = True
    discover_timeout_s: Annotated[
        float,
        Field(ge=0.05, le=10),
        Setting("How long each of them may take to answer.", env="CARTRITA_DISCOVER_TIMEOUT_S"),
    ] = 0.5
    discover_ports: Annotated[
        LocalServers,
        Setting(
            "Where to look.",
            env="CARTRITA_DISCOVER_PORTS",
            value="server=port, separated by commas",
            default=", ".join(f"{name}={port}" for name, port in LOCAL_PORTS.items()),
        ),
    ] = tuple(LocalServer(name=name, port=port) for name, port in LOCAL_PORTS.items())
    connect_timeout_s: Annotated[
        float, Field(ge=0.05, le=120), Setting("How long connecting may take.")
    ] = 5.0
    headers_timeout_s: Annotated[
        float, Field(ge=0.05, le=3600), Setting("How long the answer may take to begin.")
    ] = 30.0
    idle_timeout_s: Annotated[
        float, Field(ge=0.05, le=3600), Setting("How long a stream may be silent.")
    ] = 30.0
    thinking_idle_timeout_s: Annotated[
        float, Field(ge=0.05, le=3600), Setting("The same for models that think first.")
    ] = 120.0
    total_timeout_s: Annotated[
        float, Field(ge=0.1, le=86400), Setting("How long one call may take in all.")
    ] = 900.0
    list_wait_s: Annotated[
        float,
        Field(ge=0.05, le=60),
        Setting(
            "How long a model's name without a provider waits for the first list of the models of "
            "one that may have it."
        ),
    ] = 2.0
    response_max_bytes: Annotated[
        int, Field(ge=1024, le=1 << 30), Setting("The longest answer that is read.")
    ] = 32 << 20
    sse_line_max_bytes: Annotated[
        int, Field(ge=1024, le=1 << 28), Setting("The longest line of a stream that is read.")
    ] = 1 << 20
    entries: tuple[ConfiguredProvider, ...] = ()


class OAuth(Group):
    """Client credentials for the service at LLM_API_URL."""

    token_url: Annotated[
        WebUrl | None,
        Setting(
            "The address of the token endpoint.",
            env="OAUTH_TOKEN_URL",
            example="https://idp.example.com/oauth2/v1/token",
        ),
    ] = None
    client_id: Annotated[Word | None, Setting("The client's id.", env="OAUTH_CLIENT_ID")] = None
    client_secret: Annotated[
        Key | None, Setting("The client's secret.", env="OAUTH_CLIENT_SECRET", secret=True)
    ] = None
    scope: Annotated[
        str | None, Setting("The scope that is asked for.", env="OAUTH_SCOPE", value="a text")
    ] = None
    client_auth: Annotated[
        ClientAuth | None,
        Setting(
            "Where id and secret are sent: in the `Authorization` header, or in the form.",
            env="OAUTH_CLIENT_AUTH",
            default="the header, and the form if the endpoint does not know the client",
        ),
    ] = None


class Offline(Group):
    """The built-in model that answers if no other is configured, and says that it does."""

    script: Annotated[
        FilePath | None,
        Setting("A YAML file from which `offline/script` answers.", example="script.yaml"),
    ] = None
    token_delay_s: Annotated[
        float, Field(ge=0, le=10), Setting("The pause between its tokens.")
    ] = 0.02

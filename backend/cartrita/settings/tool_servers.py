"""Settings of the servers whose tools agents may use, by the Model Context Protocol."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from cartrita.settings.fields import Group, Setting
from cartrita.settings.types import FilePath, Hosts, Key, SecretText, WebUrl

Patterns = Annotated[tuple[str, ...], Field(max_length=64)]
Argument = Annotated[str, Field(max_length=10_000, pattern=r"^[^\x00]*$")]
HeaderName = Annotated[str, Field(pattern=r"^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}$")]
VariableName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]


class ConfiguredToolServer(BaseModel):
    """A table `[mcp.NAME]`: a program that this server starts, or the address of a server."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", arbitrary_types_allowed=True, hide_input_in_errors=True
    )
    name: str = Field(pattern=r"^[a-z][a-z0-9]{0,15}$")
    command: Annotated[tuple[Argument, ...], Field(min_length=1, max_length=100)] | None = None
    cwd: FilePath | None = None
    env: Mapping[VariableName, SecretText] = {}
    url: WebUrl | None = None
    headers: Mapping[HeaderName, Key] = {}
    tools: Patterns = ("*",)
    read: Patterns = ()
    timeout_s: float = Field(60.0, ge=1, le=3600)
    output_max_chars: int = Field(20_000, ge=1000, le=1_000_000)

    @model_validator(mode="after")
    def _check_place(self) -> "ConfiguredToolServer":
        if (self.command is None) == (self.url is None):
            raise ValueError("give it a command or a url, and not both")
        if self.url is not None and (self.env or self.cwd):
            raise ValueError("env, pass_env and cwd are of a command")
        if self.command is not None and self.headers:
            raise ValueError("headers and token_env are of a url")
        return self


class Mcp(Group):
    """Servers whose tools agents may use; each is a table of its own, see below."""

    private_hosts: Annotated[
        Hosts,
        Setting(
            "Servers that may be called although their addresses are not public, by name, address "
            "or network. An address in a `url`, and `localhost`, need not be listed.",
            value="names, addresses or networks, separated by commas",
            example="tools.example.com,10.1.0.0/16",
        ),
    ] = ()
    connect_timeout_s: Annotated[
        float,
        Field(ge=0.5, le=120),
        Setting("How long a server may take to start or to answer, and to list its tools."),
    ] = 20.0
    wait_s: Annotated[
        float,
        Field(ge=0, le=120),
        Setting(
            "How long answers whose agents name tools of a server wait for it after a start. Later "
            "ones do not wait, and have its tools once it is there."
        ),
    ] = 5.0
    refresh_s: Annotated[
        float,
        Field(ge=1, le=86_400),
        Setting("After what time a server is asked again what tools it has."),
    ] = 60.0
    entries: tuple[ConfiguredToolServer, ...] = ()

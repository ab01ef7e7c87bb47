"""The types of settings with their parsers: secrets, paths, addresses, lists, rate limits."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, TypeAlias, TypeVar, cast

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    SerializationInfo,
    ValidationInfo,
)

from cartrita.adapters.providers.registry import LOCAL_PORTS
from cartrita.kit.secret import Secret
from cartrita.settings import addresses
from cartrita.settings.errors import display_value

REVEAL = "reveal"
"""The serialisation context in which secrets are written in clear."""

_RATE = re.compile(r"([a-z][a-z0-9_-]*)=(?:off|([1-9][0-9]{0,8})/(second|minute|hour|day))")
_PERIODS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}
_KEY_COMMAND = 'make one with python3 -c "import secrets; print(secrets.token_urlsafe(32))"'

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class BaseDirectories:
    """What relative paths and `~` are resolved against: the validation context of `load`."""

    cwd: Path
    home: Path


class Rate(BaseModel):
    """At most `count` calls in `period_s` seconds for one name."""

    model_config = ConfigDict(frozen=True)
    name: str
    count: int
    period_s: int


class Rates(BaseModel):
    """Rate limits by name, none for those in `off`; `enabled` is false if all were switched off."""

    model_config = ConfigDict(frozen=True)
    enabled: bool = True
    rates: tuple[Rate, ...] = ()
    off: tuple[str, ...] = ()


class LocalServer(BaseModel):
    """The name and port of a model server to look for on this machine."""

    model_config = ConfigDict(frozen=True)
    name: str
    port: int


def _require_word(value: str) -> str:
    if not value or re.search(r"[\s\x00-\x1f]", value):
        raise ValueError(
            f"{display_value(value)} is empty or holds a space; write one word or remove it"
        )
    return value


def _resolve_path(path: Path, info: ValidationInfo) -> Path:
    directories = cast("BaseDirectories | None", info.context)
    if directories is None:  # the settings of a worker arrive with resolved paths
        return path
    text = str(path)
    if text == "~" or text.startswith("~/"):
        return directories.home / text[2:]
    return directories.cwd / path


def _split_texts(value: object) -> object:
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    if isinstance(value, list | tuple):
        parts = cast("list[object] | tuple[object, ...]", value)
        if all(isinstance(part, str) and part for part in parts):
            return parts
    raise ValueError(f"{display_value(cast('object', value))} is not a list of texts; use commas")


def _each(check: Callable[[str], str]) -> Callable[[tuple[str, ...]], tuple[str, ...]]:
    return lambda values: tuple(dict.fromkeys(check(value) for value in values))


def _to_secret(value: object) -> Secret:
    if isinstance(value, str):
        return Secret(value.strip())
    if isinstance(value, Secret):
        return value
    raise ValueError("it is not a text; put it in quotes")


def _mask(secret: Secret, info: SerializationInfo) -> str:
    return secret.reveal() if info.context == REVEAL else "***"


def _require_header_safe(secret: Secret) -> Secret:
    if not re.fullmatch(r"[\x20-\x7e]+", secret.reveal()):
        raise ValueError("it is empty or holds what no HTTP header can carry; paste it again")
    return secret


def _require_length(secret: Secret) -> Secret:
    length = len(secret.reveal())
    if length < 32:
        raise ValueError(f"it has {length} characters and needs at least 32; {_KEY_COMMAND}")
    return secret


def _validate_secret(check: Callable[[str], str]) -> Callable[[Secret], Secret]:
    return lambda secret: Secret(check(secret.reveal()))


def _parse_rates(value: object) -> object:
    if isinstance(value, Mapping):
        table = cast("Mapping[str, object]", value)
        if not all(isinstance(one, str) for one in table.values()):
            return table  # as the parent process wrote it
        value = ";".join(f"{name}={one}" for name, one in table.items())
    if not isinstance(value, str):
        return value
    if value.strip() == "off":
        return Rates(enabled=False)
    parts = [part.strip() for part in value.split(";") if part.strip()]
    found = _require_unique([_match_rate(part) for part in parts], lambda one: str(one[1]))
    return Rates(
        rates=tuple(
            Rate(name=one[1], count=int(one[2]), period_s=_PERIODS[one[3]])
            for one in found
            if one[2]
        ),
        off=tuple(one[1] for one in found if not one[2]),
    )


def _match_rate(text: str) -> re.Match[str]:
    found = _RATE.fullmatch(text)
    if not found:
        raise ValueError(
            f"{display_value(text)} is not a limit; write off or openai=100/minute;github=500/hour"
        )
    return found


def _parse_servers(value: object) -> object:
    if isinstance(value, Mapping):
        table = cast("Mapping[str, object]", value)
        value = ",".join(f"{name}={port}" for name, port in table.items())
    if not isinstance(value, str):
        return value
    parts = (part.strip() for part in value.split(",") if part.strip())
    return _require_unique([_parse_server(part) for part in parts], lambda server: server.name)


def _parse_server(text: str) -> LocalServer:
    name, _, port = text.partition("=")
    if name not in LOCAL_PORTS:
        known = ", ".join(LOCAL_PORTS)
        raise ValueError(
            f"{display_value(name)} is not a server that can be looked for; known are {known}"
        )
    if not re.fullmatch(r"[0-9]{1,5}", port) or not 1 <= int(port) <= 65535:
        raise ValueError(f"{display_value(text)} has no port from 1 to 65535; write {name}=8080")
    return LocalServer(name=name, port=int(port))


def _require_unique(items: list[T], name: Callable[[T], str]) -> tuple[T, ...]:
    names = [name(item) for item in items]
    for one in names:
        if names.count(one) > 1:
            raise ValueError(f"{display_value(one)} stands there more than once; keep one of them")
    return tuple(items)


SecretText: TypeAlias = Annotated[Secret, BeforeValidator(_to_secret), PlainSerializer(_mask)]
Key: TypeAlias = Annotated[SecretText, AfterValidator(_require_header_safe)]
LongKey: TypeAlias = Annotated[Key, AfterValidator(_require_length)]
DatabaseUrl: TypeAlias = Annotated[
    SecretText, AfterValidator(_validate_secret(addresses.database_url))
]
ValkeyUrl: TypeAlias = Annotated[SecretText, AfterValidator(_validate_secret(addresses.valkey_url))]
Port: TypeAlias = Annotated[int, Field(ge=0, le=65535)]
Host: TypeAlias = Annotated[str, AfterValidator(addresses.host)]
WebUrl: TypeAlias = Annotated[str, AfterValidator(addresses.web_url)]
Word: TypeAlias = Annotated[str, AfterValidator(_require_word)]
FilePath: TypeAlias = Annotated[Path, AfterValidator(_resolve_path)]
Texts: TypeAlias = Annotated[tuple[str, ...], BeforeValidator(_split_texts)]
Origins: TypeAlias = Annotated[Texts, AfterValidator(_each(addresses.origin))]
MediaTypes: TypeAlias = Annotated[Texts, AfterValidator(_each(addresses.media_type))]
StorageUrl: TypeAlias = Annotated[str, AfterValidator(addresses.storage)]
Networks: TypeAlias = Annotated[Texts, AfterValidator(_each(addresses.network))]
Hosts: TypeAlias = Annotated[Texts, AfterValidator(_each(addresses.named_host))]
RateLimits: TypeAlias = Annotated[Rates, BeforeValidator(_parse_rates)]
LocalServers: TypeAlias = Annotated[tuple[LocalServer, ...], BeforeValidator(_parse_servers)]

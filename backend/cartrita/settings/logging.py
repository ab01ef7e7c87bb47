"""Settings of the logs: how much is written, in which form and where."""

import re
from collections.abc import Mapping
from typing import Annotated, Literal, TypeAlias, cast

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from cartrita.settings.errors import display_value
from cartrita.settings.fields import Group, Setting
from cartrita.settings.types import FilePath

Level: TypeAlias = Literal["debug", "info", "warning", "error"]

_LEVELS = ("debug", "info", "warning", "error")
_NAME = re.compile(r"[A-Za-z_]\w*(\.\w+)*")
_OURS = "cartrita"


class LoggerLevel(BaseModel):
    """The least level that one logger writes, and those below it that have none of their own."""

    model_config = ConfigDict(frozen=True)
    name: str
    level: Level


def _parse_levels(value: object) -> object:
    if isinstance(value, Mapping):
        table = cast("Mapping[str, object]", value)
        value = ",".join(f"{name}={level}" for name, level in table.items())
    if not isinstance(value, str):
        return value  # as the parent process wrote it
    parts = [_parse_level(part.strip()) for part in value.split(",") if part.strip()]
    names = [part.name for part in parts]
    if twice := [name for name in names if names.count(name) > 1]:
        raise ValueError(f"{display_value(twice[0])} stands there more than once; keep one of them")
    return tuple(parts)


def _parse_level(text: str) -> LoggerLevel:
    name, _, level = (part.strip() for part in text.partition("="))
    if not _NAME.fullmatch(name) or level not in _LEVELS:
        raise ValueError(
            f"{display_value(text)} is no logger with a level; write cartrita.gateway=debug"
        )
    if level == "debug" and name.partition(".")[0] != _OURS:
        raise ValueError(
            f"{display_value(name)} is a library, whose debug lines hold content and keys; write "
            f"{name}=info"
        )
    return LoggerLevel(name=name, level=level)


LoggerLevels: TypeAlias = Annotated[tuple[LoggerLevel, ...], BeforeValidator(_parse_levels)]


class Logging(Group):
    """What is written to stderr, and to a file. Logs hold neither content nor secrets."""

    level: Annotated[
        Level, Setting("The least level that is written.", env="CARTRITA_LOG_LEVEL")
    ] = "info"
    levels: Annotated[
        LoggerLevels,
        Setting(
            "Other levels for single loggers: the modules of this server, which each line names as "
            "`logger`, and libraries, of which `info` is the least.",
            env="CARTRITA_LOG_LEVELS",
            value="names with levels, separated by commas",
            example="cartrita.gateway=debug,sqlalchemy=info",
        ),
    ] = ()
    format: Annotated[
        Literal["auto", "console", "json"],
        Setting("`auto` is console on a terminal and json elsewhere.", env="CARTRITA_LOG_FORMAT"),
    ] = "auto"
    file: Annotated[
        FilePath | None,
        Setting(
            "A file to which `cartrita serve` writes the same lines too, always as JSON.",
            env="CARTRITA_LOG_FILE",
            example="/var/log/cartrita/cartrita.log",
        ),
    ] = None
    file_max_bytes: Annotated[
        int,
        Field(ge=4096, le=1 << 33),
        Setting(
            "When it is renamed, to its name with `.1`, and a new one begins.",
            env="CARTRITA_LOG_FILE_MAX_BYTES",
        ),
    ] = 10 << 20
    file_count: Annotated[
        int,
        Field(ge=1, le=1000),
        Setting("How many renamed ones are kept.", env="CARTRITA_LOG_FILE_COUNT"),
    ] = 5

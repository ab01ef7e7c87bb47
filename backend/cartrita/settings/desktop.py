"""Settings of the desktops that agents use."""

import shlex
from collections.abc import Mapping
from typing import Annotated, Literal, TypeAlias, cast

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from cartrita.settings.errors import display_value
from cartrita.settings.fields import Group, Setting
from cartrita.settings.types import Texts


class App(BaseModel):
    """A program of a desktop's menu."""

    model_config = ConfigDict(frozen=True)
    name: str
    command: tuple[str, ...]


def _parse_apps(value: object) -> object:
    if isinstance(value, str):
        pairs = [part.partition("=") for part in value.split(";") if part.strip()]
        value = {name.strip(): command for name, _, command in pairs}
    if not isinstance(value, Mapping):
        return value  # as the parent process wrote it
    table = cast("Mapping[str, object]", value)
    return tuple(App(name=name, command=_parse_command(name, one)) for name, one in table.items())


def _parse_command(name: str, value: object) -> tuple[str, ...]:
    try:
        words = shlex.split(value) if isinstance(value, str) else value
    except ValueError:
        words = None
    if name and isinstance(words, list | tuple) and words:
        parts = cast("list[object] | tuple[object, ...]", words)
        if all(isinstance(part, str) and part for part in parts):
            return tuple(cast("str", part) for part in parts)
    raise ValueError(f"{display_value(name)} has no command; write terminal=xterm;editor=mousepad")


Apps: TypeAlias = Annotated[tuple[App, ...], BeforeValidator(_parse_apps)]


class DesktopOptions(Group):
    """Desktops that agents use and people watch, each in a sandbox of its own."""

    enabled: Annotated[bool, Setting("Whether there are desktops.")] = False
    width: Annotated[
        int, Field(ge=640, le=2560), Setting("The width of their screens, in pixels.")
    ] = 1280
    height: Annotated[int, Field(ge=480, le=1600), Setting("The height of their screens.")] = 800
    sessions_max: Annotated[
        int, Field(ge=1, le=256), Setting("The most that run on one machine at once.")
    ] = 4
    sessions_per_owner: Annotated[
        int, Field(ge=1, le=256), Setting("The most that run for one owner at once.")
    ] = 2
    memory_bytes: Annotated[
        int,
        Field(ge=256 << 20, le=1 << 40),
        Setting("What all programs of one may use, and each of them as addresses."),
    ] = 1 << 30
    processes_max: Annotated[
        int, Field(ge=16, le=4096), Setting("How many processes and threads one may have.")
    ] = 256
    lifetime_s: Annotated[
        float, Field(ge=1, le=604800), Setting("How long one runs at most; then it is ended.")
    ] = 3600.0
    idle_s: Annotated[
        float, Field(ge=1, le=604800), Setting("One that nobody uses for so long is ended.")
    ] = 900.0
    start_timeout_s: Annotated[
        float, Field(ge=0.5, le=300), Setting("How long one may take to start.")
    ] = 10.0
    isolation: Annotated[
        Literal["auto", "bubblewrap", "container", "plain"],
        Setting(
            "What keeps one from the machine. `auto` is `bubblewrap` where that works, and never "
            "`plain`: programs of the same user, with limits, which can read this server's files."
        ),
    ] = "auto"
    container_command: Annotated[
        Texts,
        Setting(
            "What starts a container, for `container`, as root there; the command of the desktop "
            "follows it. `{folder}` stands for its folder, the only one that both see, under the "
            "same name.",
            value="texts, separated by commas",
            example="podman,run,--rm,-i,--volume={folder}:{folder},cartrita-desktop",
        ),
    ] = ()
    network: Annotated[bool, Setting("Whether its programs reach the network.")] = False
    apps: Annotated[
        Apps | None,
        Setting(
            "The programs of its menu, each with its command.",
            value="name=command, separated by semicolons",
            example="terminal=xterm;editor=mousepad",
            default="those of xterm and mousepad that are installed",
        ),
    ] = None
    settle_s: Annotated[
        float,
        Field(ge=0, le=60),
        Setting("How long is waited at most, after an action, for a screen that stands still."),
    ] = 1.0
    action_timeout_s: Annotated[
        float, Field(ge=1, le=600), Setting("How long an action may take, but for what it waits.")
    ] = 30.0
    hold_max_s: Annotated[
        float,
        Field(ge=0.1, le=300),
        Setting("How long an action may hold a key, or wait; one of more is refused."),
    ] = 30.0
    text_max_chars: Annotated[
        int, Field(ge=1, le=10_000), Setting("The longest text that one action types.")
    ] = 10_000
    control_s: Annotated[
        float,
        Field(ge=1, le=3600),
        Setting("How long a person has the control who takes it, and does not take it again."),
    ] = 60.0
    handover_s: Annotated[
        float,
        Field(ge=0.1, le=86400),
        Setting("How long an agent waits for a person to hand back, before it is told to go on."),
    ] = 600.0
    frames_max: Annotated[
        int,
        Field(ge=1, le=1_000_000),
        Setting("The most actions that are filmed of one desktop; it takes no more after them."),
    ] = 2000
    looks_max: Annotated[
        int,
        Field(ge=2, le=1000),
        Setting("An agent that only looks, so many times in a row at the same, is stopped."),
    ] = 12
    sweep_s: Annotated[
        float,
        Field(ge=0.05, le=600),
        Setting(
            "How often a worker looks for those whose time is over, or that died, and lets go of "
            "buttons that a run holds which has ended."
        ),
    ] = 2.0

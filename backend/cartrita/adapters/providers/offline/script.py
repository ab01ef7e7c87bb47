"""The format of the scripts that `offline/script` plays; docs/offline-script.md describes it."""

import re
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import yaml

from cartrita.domain.deltas import FinishReason
from cartrita.domain.json import JsonObject
from cartrita.domain.messages import Citation
from cartrita.kit.text import storable_json

DEFAULT = "default"
_Seconds = Annotated[float, msgspec.Meta(ge=0, le=3600)]
_Times = Annotated[int, msgspec.Meta(ge=1, le=100_000)]


class ScriptError(ValueError):
    """A script is unreadable or invalid; the text names the file and the place."""


class _Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A mapping that refuses unknown keys."""


class ToolCallStep(_Strict, frozen=True):
    """A tool call; `arguments` given as text are sent unchanged, even if they are invalid JSON."""

    name: str
    arguments: JsonObject | str = {}
    id: str | None = None


class ErrorStep(_Strict, frozen=True):
    """An error that ends the answer."""

    message: str
    code: str = "upstream_error"
    retryable: bool = False
    retry_after: _Seconds | None = None


class Repeat(_Strict, frozen=True):
    """Steps to play several times."""

    times: _Times
    steps: "list[SceneStep]"


class SceneStep(_Strict, frozen=True, omit_defaults=True):
    """One step of a scene: exactly one of its fields is given."""

    text: str | None = None
    reasoning: str | None = None
    delay: _Seconds | None = None
    citation: Citation | None = None
    tool_call: ToolCallStep | None = None
    error: ErrorStep | None = None
    cut: Literal[True] | None = None
    finish: FinishReason | None = None
    repeat: Repeat | None = None


class Scene(_Strict, frozen=True):
    """The answer to a message.

    `when` is a part of the user's message, in any case, or a regular expression between slashes, or
    `default`. With `after_tool`, the scene answers a request that ends with this tool's result.
    """

    steps: list[SceneStep]
    when: str = DEFAULT
    after_tool: str | None = None


class Script(_Strict, frozen=True):
    """A script file."""

    scenes: Annotated[list[Scene], msgspec.Meta(min_length=1)]


def read_script(path: Path) -> Script:
    """Load a script. Raises ScriptError."""
    try:
        return parse_script(path.read_text("utf-8"))
    except OSError as error:
        raise ScriptError(f"{path.name} cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise ScriptError(f"{path.name}: {error}") from None


def parse_script(text: str) -> Script:
    """Parse a script. Raises ValueError that says what is wrong, and where."""
    try:
        data: object = storable_json(yaml.safe_load(text))
    except (yaml.YAMLError, RecursionError) as error:
        raise ValueError(f"it is not YAML: {_location(error)}") from None
    try:
        script = msgspec.convert(data, Script)
    except msgspec.ValidationError as error:
        raise ValueError(str(error).replace("`$.", "`").replace("`$`", "its top")) from None
    for number, scene in enumerate(script.scenes):
        _check_steps(scene.steps, f"scenes[{number}]")
        _check_condition(scene.when, f"scenes[{number}].when")
    return script


def matches(when: str, text: str) -> bool:
    """Whether a scene with this condition answers a message with this text."""
    if when == DEFAULT:
        return True
    if len(when) > 2 and when.startswith("/") and when.endswith("/"):
        return bool(re.search(when[1:-1], text, re.IGNORECASE | re.DOTALL))
    return when.casefold() in text.casefold()


def _check_steps(steps: list[SceneStep], place: str) -> None:
    for number, step in enumerate(steps):
        here = f"{place}.steps[{number}]"
        given = [name for name in step.__struct_fields__ if getattr(step, name) is not None]
        if len(given) != 1:
            fields = " and ".join(given) or "nothing"
            raise ValueError(f"a step says exactly one thing, this one {fields} - at `{here}`")
        if step.repeat is not None:
            _check_steps(step.repeat.steps, f"{here}.repeat")


def _check_condition(when: str, place: str) -> None:
    try:
        matches(when, "")
    except re.error as error:
        raise ValueError(f"it is not a regular expression: {error} - at `{place}`") from None


def _location(error: BaseException) -> str:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        return f"{error.problem or 'it is malformed'}, line {error.problem_mark.line + 1}"
    return "it is malformed"

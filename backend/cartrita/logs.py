"""Logs on stderr and in a file: one event with its keys a line, without content or secrets.

Values are logged by type: numbers, short texts, times and ids as they are; of a mapping (headers, a
body) only names and numbers; of an exception the first line, since databases and validators repeat
the data in the following ones; of anything else the name of its type. In addition, texts that look
like keys are masked.
"""

import logging
import re
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from contextlib import suppress
from datetime import date, timedelta
from enum import Enum
from functools import cache
from pathlib import PurePath
from types import MappingProxyType
from typing import Any, Final, Literal, TypeAlias, cast
from uuid import UUID

import structlog
from structlog.typing import EventDict, ExcInfo, Processor, WrappedLogger

from cartrita.kit.masking import MASK, PREFIXES, SENSITIVE, masked
from cartrita.kit.rotating_file import RotatingFile
from cartrita.kit.secret import Secret

Level: TypeAlias = Literal["debug", "info", "warning", "error"]
Format: TypeAlias = Literal["auto", "console", "json"]

_log = structlog.get_logger(__name__)

_NO_LEVELS: Final[Mapping[str, Level]] = MappingProxyType({})
_MAX_LENGTH = 500
"""Characters of one value; tracebacks are not cut."""

_BEYOND = 4096
"""Characters after those that are looked at too: a secret may be cut there."""

_MAX_ITEMS = 20
_MAX_FRAMES = 30
_MAX_CAUSES = 10
_STANDARD_KEYS = frozenset({"event", "level", "logger", "timestamp", "key_id"})
"""Whose names say nothing of their values: the id of a key is shown to everybody who may see it."""

_PLAIN = re.compile(r"[A-Za-z0-9_]{1,64}")
"""A name or an id, which nothing has to be masked in unless it begins as a key does."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_BEGINNINGS = tuple(one for one in PREFIXES if _PLAIN.fullmatch(one))
_LIBRARY_LEVEL = logging.WARNING
"""Of library loggers except two, where nothing else is set."""

_LEAST_LIBRARY_LEVEL = logging.INFO
"""Below it libraries log what they send and get: messages, rows, headers with keys."""

_OURS = "cartrita"
_INFO_LOGGERS = ("uvicorn", "alembic.runtime.migration")
_LIBRARY_LOGGERS = (
    *_INFO_LOGGERS,
    "uvicorn.error",
    "uvicorn.asgi",
    "sqlalchemy",
    "asyncio",
)
_DISABLED_LOGGERS = ("uvicorn.access",)  # whole URLs; the request log names the route instead
_SILENT_LOGGERS = ("mcp",)  # and all below them: they repeat what servers of tools have sent


def configure(
    level: Level = "info",
    output: Format = "auto",
    *,
    levels: Mapping[str, Level] = _NO_LEVELS,
    file: RotatingFile | None = None,
) -> None:
    """Set up structlog and the standard library's loggers of this process; again is allowed.

    `levels` are those of single loggers and of all below them that have none of their own. What is
    written to stderr goes to the `file` too, as JSON.
    """
    number = _number(level)
    others = {name: _number(one) for name, one in levels.items()}
    console = output == "console" or (output == "auto" and sys.stderr.isatty())
    rendering: list[Processor] = [_console() if console else structlog.processors.JSONRenderer()]
    if file is not None:
        rendering.insert(0, _copying_to(file))
    structlog.configure(
        processors=[_add_name, *_chain(), *rendering],
        wrapper_class=_bound_by_name(number, others),
        logger_factory=_writer,
        cache_logger_on_first_use=False,  # else a second configure would not reach old loggers
    )
    _route_library_logs(number, others, rendering)


def log_failures_of_threads() -> None:
    """Have what nobody catches in a thread logged as all else is: Python prints whole messages."""
    threading.excepthook = _log_failure


def _log_failure(failure: threading.ExceptHookArgs) -> None:
    thread = None if failure.thread is None else failure.thread.name
    _log.error("thread_failed", thread=thread, exc_info=failure.exc_value)


def safe_values(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """The structlog processor that logs values as this module's docstring says."""
    return {str(name): _safe_value(str(name), value) for name, value in event.items()}


def format_exception(exc_info: ExcInfo) -> str:
    """Frames and first lines of an exception, after those of its causes and before its group's."""
    return "\n".join(_exception_lines(exc_info[1], _MAX_CAUSES))


def _chain() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.ExceptionRenderer(format_exception),
        safe_values,
    ]


def _console() -> Processor:
    # The plain formatter, because the others print the local variables of a traceback's frames.
    return structlog.dev.ConsoleRenderer(
        colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
    )


class _StderrLogger(structlog.WriteLogger):
    """Loses lines that cannot be written, as on a full disk: what logs them goes on.

    `name` is the module that logs, if it told it.
    """

    def __init__(self, name: str = "") -> None:
        super().__init__(sys.stderr)
        self.name = name

    def msg(self, message: str) -> None:
        with suppress(OSError):
            super().msg(message)

    log = debug = info = warn = warning = msg
    fatal = failure = err = error = critical = exception = msg


def _writer(*names: str) -> structlog.WriteLogger:
    return _StderrLogger(*names)


def _add_name(logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    if name := getattr(logger, "name", ""):
        event["logger"] = name
    return event


def _copying_to(file: RotatingFile) -> Processor:
    """A processor that writes each event to the file, and passes it on."""
    render = structlog.processors.JSONRenderer()

    def copy(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
        file.append(str(render(logger, method, dict(event))))
        return event

    return copy


def _number(level: Level) -> int:
    return logging.getLevelNamesMapping()[level.upper()]


def _bound_by_name(level: int, others: Mapping[str, int]) -> Any:  # noqa: ANN401 - see below
    """What makes the bound loggers: each of the class that filters by the level of its name.

    For structlog it is a class; a function that makes them does as well.
    """

    @cache
    def kind(name: str) -> Callable[..., object]:
        return structlog.make_filtering_bound_logger(_level_of(name, level, others))

    def bind(logger: _StderrLogger, *arguments: object, **named: object) -> object:
        return kind(logger.name)(logger, *arguments, **named)

    return bind


def _level_of(name: str, level: int, others: Mapping[str, int]) -> int:
    """The level of a logger: its own, or that of the nearest one above it."""
    while name:
        if name in others:
            return others[name]
        name = name.rpartition(".")[0]
    return level


def _route_library_logs(level: int, others: Mapping[str, int], rendering: list[Processor]) -> None:
    """Render the standard library's log records in the same format."""
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[structlog.stdlib.add_logger_name, *_chain()],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *rendering],
    )
    out = logging.StreamHandler(sys.stderr)
    out.setFormatter(formatter)
    others = {name: one for name, one in others.items() if not _is_unheard(name)}
    others = {name: _library_level(name, one) for name, one in others.items()}
    out.setLevel(min(level, *others.values()) if others else level)
    logging.getLogger().handlers[:] = [out]
    logging.getLogger().setLevel(max(level, _LIBRARY_LEVEL))
    for name in _LIBRARY_LOGGERS:
        library = logging.getLogger(name)
        library.handlers.clear()
        library.propagate = True
    for name in _INFO_LOGGERS:
        logging.getLogger(name).setLevel(max(level, logging.INFO))
    for name, chosen in others.items():
        logging.getLogger(name).setLevel(chosen)
    for name in _DISABLED_LOGGERS:
        logging.getLogger(name).disabled = True
    for name in _SILENT_LOGGERS:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)


def _is_unheard(name: str) -> bool:
    """Whether nothing makes a logger heard, whatever is set."""
    return any(f"{name}.".startswith(f"{one}.") for one in (*_DISABLED_LOGGERS, *_SILENT_LOGGERS))


def _library_level(name: str, chosen: int) -> int:
    ours = name.partition(".")[0] == _OURS
    return chosen if ours else max(chosen, _LEAST_LIBRARY_LEVEL)


def _safe_value(name: str, value: object) -> object:
    if value is None or isinstance(value, int | float):
        return value
    if name == "exception":
        return masked(str(value))
    if name not in _STANDARD_KEYS and SENSITIVE.search(name):
        return MASK
    return _safe(value)


def _safe(value: object) -> object:
    if value is None or isinstance(value, int | float):
        return value
    if isinstance(value, Mapping):
        pairs = cast("Mapping[object, object]", value).items()
        return {_text(str(name)): _number_or_mask(item) for name, item in pairs}
    if isinstance(value, Sequence | Set) and not isinstance(value, str | bytes | bytearray):
        return [_safe(item) for item in list(cast("Sequence[object]", value))[:_MAX_ITEMS]]
    return _safe_scalar(value)


def _number_or_mask(value: object) -> object:
    return value if value is None or isinstance(value, int | float) else MASK


def _safe_scalar(value: object) -> object:
    if isinstance(value, Secret):
        return MASK
    if isinstance(value, BaseException):
        return _summary(value)
    if isinstance(value, Enum):
        return _safe(value.value)
    if isinstance(value, str | UUID | PurePath | date | timedelta):
        return _text(str(value))
    return f"<{type(value).__name__}>"


def _text(text: str) -> str:
    if _PLAIN.fullmatch(text) and not text.startswith(_BEGINNINGS):
        return text
    begun = text[: _MAX_LENGTH + _BEYOND]
    line = masked(_CONTROL.sub(" ", begun))  # a line break inside a value would forge a line
    whole = len(begun) == len(text) and len(line) <= _MAX_LENGTH
    return line if whole else line[:_MAX_LENGTH] + "..."


def _summary(error: BaseException) -> str:
    lines = str(error).splitlines()
    return _text(f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__)


def _exception_lines(error: BaseException, depth: int) -> Iterator[str]:
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if before is not None and depth:
        yield from _exception_lines(before, depth - 1)
        yield "and then:"
    for frame in traceback.format_tb(error.__traceback__, limit=-_MAX_FRAMES):
        yield frame.rstrip("\n")
    yield _summary(error)
    if isinstance(error, BaseExceptionGroup) and depth:
        group = cast("BaseExceptionGroup[BaseException]", error)
        for part in group.exceptions[:_MAX_ITEMS]:
            yield from (
                "  | " + line for line in "\n".join(_exception_lines(part, depth - 1)).splitlines()
            )

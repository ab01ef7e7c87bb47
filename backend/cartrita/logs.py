"""Logs on stderr: one event with its keys on each line, without message content or secrets.

Values are logged by type: numbers, short texts, times and ids as they are; of a mapping (headers, a
body) only names and numbers; of an exception the first line, since databases and validators repeat
the data in the following ones; of anything else the name of its type. In addition, texts that look
like keys are masked.
"""

import logging
import re
import sys
import traceback
from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import suppress
from datetime import date, timedelta
from enum import Enum
from pathlib import PurePath
from typing import Literal, TypeAlias, cast
from uuid import UUID

import structlog
from structlog.typing import EventDict, ExcInfo, Processor, WrappedLogger

from cartrita.kit.secret import Secret

Level: TypeAlias = Literal["debug", "info", "warning", "error"]
Format: TypeAlias = Literal["auto", "console", "json"]

MASK = "***"
_MAX_LENGTH = 500
"""Characters of one value; tracebacks are not cut."""

_MAX_ITEMS = 20
_MAX_FRAMES = 30
_MAX_CAUSES = 10
_STANDARD_KEYS = frozenset({"event", "level", "logger", "timestamp"})
_SENSITIVE = re.compile(r"key|token|authorization|cookie|secret|passw|credential", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_MASKS = (
    (re.compile(r"([?&#][^=&#\s]{1,100}=)[^&#\s\"']+"), rf"\1{MASK}"),  # a query's values
    (re.compile(r"(://)[^/@\s]+@"), rf"\1{MASK}@"),  # user:password@host
    (re.compile(r"\b(Bearer|Basic|Token)\s+[\w.~+/=-]{16,}", re.IGNORECASE), rf"\1 {MASK}"),
    (re.compile(r"\b(ck_|sk-|pk-|hf_|gh[opsu]_|tvly-)[\w-]{8,}"), rf"\1{MASK}"),
)
# Of library loggers except two. Below it sqlalchemy logs parameters, which hold messages.
_LIBRARY_LEVEL = logging.WARNING
_INFO_LOGGERS = ("uvicorn", "alembic")
_LIBRARY_LOGGERS = (
    *_INFO_LOGGERS,
    "uvicorn.error",
    "uvicorn.asgi",
    "sqlalchemy",
    "asyncio",
)
_DISABLED_LOGGERS = ("uvicorn.access",)  # whole URLs; the request log names the route instead
_SILENT_LOGGERS = ("mcp",)  # and all below them: they repeat what servers of tools have sent


def configure(level: Level = "info", output: Format = "auto") -> None:
    """Set up structlog and the standard library's loggers of this process; again is allowed."""
    number = logging.getLevelNamesMapping()[level.upper()]
    console = output == "console" or (output == "auto" and sys.stderr.isatty())
    renderer = _console() if console else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[*_chain(), renderer],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=_writer,
        cache_logger_on_first_use=False,  # else a second configure would not reach old loggers
    )
    _route_library_logs(number, renderer)


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
    """Loses lines that cannot be written, as on a full disk: what logs them goes on."""

    def msg(self, message: str) -> None:
        with suppress(OSError):
            super().msg(message)

    log = debug = info = warn = warning = msg
    fatal = failure = err = error = critical = exception = msg


def _writer(*_names: object) -> structlog.WriteLogger:
    return _StderrLogger(sys.stderr)


def _route_library_logs(level: int, renderer: Processor) -> None:
    """Render the standard library's log records in the same format."""
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[structlog.stdlib.add_logger_name, *_chain()],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
    )
    out = logging.StreamHandler(sys.stderr)
    out.setFormatter(formatter)
    out.setLevel(level)
    logging.getLogger().handlers[:] = [out]
    logging.getLogger().setLevel(max(level, _LIBRARY_LEVEL))
    for name in _LIBRARY_LOGGERS:
        library = logging.getLogger(name)
        library.handlers.clear()
        library.propagate = True
    for name in _INFO_LOGGERS:
        logging.getLogger(name).setLevel(max(level, logging.INFO))
    for name in _DISABLED_LOGGERS:
        logging.getLogger(name).disabled = True
    for name in _SILENT_LOGGERS:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)


def _safe_value(name: str, value: object) -> object:
    if value is None or isinstance(value, int | float):
        return value
    if name == "exception":
        return _masked(str(value))
    if name not in _STANDARD_KEYS and _SENSITIVE.search(name):
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
    line = _masked(_CONTROL.sub(" ", text))  # a line break inside a value would forge a line
    return line if len(line) <= _MAX_LENGTH else line[:_MAX_LENGTH] + "..."


def _masked(text: str) -> str:
    for pattern, mask in _MASKS:
        text = pattern.sub(mask, text)
    return text


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

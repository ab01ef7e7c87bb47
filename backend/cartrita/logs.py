"""Logs on stderr: one event a line, its keys beside it, and no secret in any of them.

What reaches a line is chosen by type, not by searching for what must not: numbers, short texts,
times and ids pass; of a mapping (headers, a body) only names and numbers do; of an exception its
first line, since what follows is where databases and validators repeat the data; anything else
is the name of its type. Masks over what looks like a key are a second wall behind that.
"""

import logging
import re
import sys
import traceback
from collections.abc import Iterator, Mapping, Sequence, Set
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
LONGEST = 500
"""Characters of one value; a traceback is as long as it is."""

_ITEMS = 20
_FRAMES = 30
_CHAIN = 10
_OURS = frozenset({"event", "level", "logger", "timestamp"})
_SENSITIVE = re.compile(r"key|token|authorization|cookie|secret|passw|credential", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_MASKS = (
    (re.compile(r"([?&#][^=&#\s]{1,100}=)[^&#\s\"']+"), rf"\1{MASK}"),  # a query's values
    (re.compile(r"(://)[^/@\s]+@"), rf"\1{MASK}@"),  # user:password@host
    (re.compile(r"\b(Bearer|Basic|Token)\s+[\w.~+/=-]{16,}", re.IGNORECASE), rf"\1 {MASK}"),
    (re.compile(r"\b(ck_|sk-|pk-|hf_|gh[opsu]_|tvly-)[\w-]{8,}"), rf"\1{MASK}"),
)
# Libraries speak from here on, two of them from info: below it sqlalchemy logs parameters, which
# are people's messages.
_QUIET = logging.WARNING
_HEARD = ("uvicorn", "alembic")
_ROUTED = (*_HEARD, "uvicorn.error", "uvicorn.asgi", "sqlalchemy", "asyncio", "aiohttp")
_SILENT = ("uvicorn.access",)  # whole URLs; the request log names the route instead


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
    _route(number, renderer)


def allowed(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """The processor that lets through what this module's docstring names."""
    return {str(name): _value(str(name), value) for name, value in event.items()}


def traced(exc_info: ExcInfo) -> str:
    """Frames and first lines of an exception, of its causes before it and of its group after it."""
    return "\n".join(_traced(exc_info[1], _CHAIN))


def _chain() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.ExceptionRenderer(traced),
        allowed,
    ]


def _console() -> Processor:
    # The plain formatter, because the others print the local variables of a traceback's frames.
    return structlog.dev.ConsoleRenderer(
        colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
    )


def _writer(*_names: object) -> structlog.WriteLogger:
    return structlog.WriteLogger(sys.stderr)


def _route(level: int, renderer: Processor) -> None:
    """Let the standard library's loggers end in the same lines."""
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[structlog.stdlib.add_logger_name, *_chain()],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
    )
    out = logging.StreamHandler(sys.stderr)
    out.setFormatter(formatter)
    out.setLevel(level)
    logging.getLogger().handlers[:] = [out]
    logging.getLogger().setLevel(max(level, _QUIET))
    for name in _ROUTED:
        library = logging.getLogger(name)
        library.handlers.clear()
        library.propagate = True
    for name in _HEARD:
        logging.getLogger(name).setLevel(max(level, logging.INFO))
    for name in _SILENT:
        logging.getLogger(name).disabled = True


def _value(name: str, value: object) -> object:
    if value is None or isinstance(value, int | float):
        return value
    if name == "exception":
        return _masked(str(value))
    if name not in _OURS and _SENSITIVE.search(name):
        return MASK
    return _seen(value)


def _seen(value: object) -> object:
    if value is None or isinstance(value, int | float):
        return value
    if isinstance(value, Mapping):
        pairs = cast("Mapping[object, object]", value).items()
        return {_text(str(name)): _number(item) for name, item in pairs}
    if isinstance(value, Sequence | Set) and not isinstance(value, str | bytes | bytearray):
        return [_seen(item) for item in list(cast("Sequence[object]", value))[:_ITEMS]]
    return _single(value)


def _number(value: object) -> object:
    return value if value is None or isinstance(value, int | float) else MASK


def _single(value: object) -> object:
    if isinstance(value, Secret):
        return MASK
    if isinstance(value, BaseException):
        return _summary(value)
    if isinstance(value, Enum):
        return _seen(value.value)
    if isinstance(value, str | UUID | PurePath | date | timedelta):
        return _text(str(value))
    return f"<{type(value).__name__}>"


def _text(text: str) -> str:
    line = _masked(_CONTROL.sub(" ", text))  # a line break inside a value would forge a line
    return line if len(line) <= LONGEST else line[:LONGEST] + "..."


def _masked(text: str) -> str:
    for pattern, mask in _MASKS:
        text = pattern.sub(mask, text)
    return text


def _summary(error: BaseException) -> str:
    lines = str(error).splitlines()
    return _text(f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__)


def _traced(error: BaseException, depth: int) -> Iterator[str]:
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if before is not None and depth:
        yield from _traced(before, depth - 1)
        yield "and then:"
    for frame in traceback.format_tb(error.__traceback__, limit=-_FRAMES):
        yield frame.rstrip("\n")
    yield _summary(error)
    if isinstance(error, BaseExceptionGroup) and depth:
        group = cast("BaseExceptionGroup[BaseException]", error)
        for part in group.exceptions[:_ITEMS]:
            yield from ("  | " + line for line in "\n".join(_traced(part, depth - 1)).splitlines())

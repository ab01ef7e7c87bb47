"""Levels of single loggers, the name of the module that logs, and the file beside stderr."""

import json
import logging
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
import structlog

from cartrita import logs
from cartrita.kit.rotating_file import RotatingFile

CANARY = "canary-40f1aa"
LOGGERS = ("", "uvicorn", "alembic", "sqlalchemy", "sqlalchemy.engine", "mcp", "mcp.client", "cart")


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """The loggers of the process are put back afterwards."""
    loggers = [logging.getLogger(name) for name in LOGGERS]
    before = [(one.level, list(one.handlers), one.propagate) for one in loggers]
    hook = threading.excepthook
    yield
    for one, (level, handlers, propagate) in zip(loggers, before, strict=True):
        one.setLevel(level)
        one.handlers[:] = handlers
        one.propagate = propagate
    threading.excepthook = hook
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def told(capsys: pytest.CaptureFixture[str]) -> list[tuple[str, str]]:
    """The (logger, event) of each line on stderr."""
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    return [(line.get("logger", ""), line["event"]) for line in lines]


def test_a_logger_has_the_level_of_the_nearest_name(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(
        "warning",
        "json",
        levels={"cartrita.gateway": "debug", "cartrita.gateway.retry": "error"},
    )
    for module in ("cartrita.gateway.catalog", "cartrita.gateway.retry", "cartrita.gatewayer"):
        structlog.get_logger(module).debug("quiet")
        structlog.get_logger(module).warning("loud")
    structlog.get_logger().info("of_nobody")
    assert told(capsys) == [
        ("cartrita.gateway.catalog", "quiet"),
        ("cartrita.gateway.catalog", "loud"),
        ("cartrita.gatewayer", "loud"),
    ]


def test_levels_of_libraries(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("error", "json", levels={"sqlalchemy": "info", "mcp": "info"})
    logging.getLogger("sqlalchemy.engine").info("SELECT 1")
    logging.getLogger("sqlalchemy.engine").debug("Row (%s)", CANARY)
    logging.getLogger("mcp.client").error(CANARY)
    logging.getLogger("alembic").warning("quiet")
    assert told(capsys) == [("sqlalchemy.engine", "SELECT 1")]


def test_libraries_never_say_all_that_they_could(capsys: pytest.CaptureFixture[str]) -> None:
    levels: dict[str, logs.Level] = {"sqlalchemy": "debug", "mcp.client": "debug"}
    logs.configure("debug", "json", levels=levels)
    logging.getLogger("sqlalchemy.engine").debug("Row (%s)", CANARY)
    logging.getLogger("mcp.client").error(CANARY)
    assert told(capsys) == []


def test_what_is_asked_before_something_is_gathered(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("warning", "json", levels={"cartrita.gateway": "info"})
    assert structlog.get_logger("cartrita.gateway.x").bind().is_enabled_for(logging.INFO)
    assert not structlog.get_logger("cartrita.surfaces").bind().is_enabled_for(logging.INFO)


def test_the_file_has_the_same_lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.log"
    file = RotatingFile(path, most_bytes=1 << 20, count=1)
    logs.configure("info", "console", file=file)
    structlog.get_logger("cartrita.x").info("ours", count=3, api_key=CANARY)
    logging.getLogger("uvicorn").info("theirs at /x?key=%s", CANARY)
    try:
        raise ValueError(f"first\n{CANARY}")
    except ValueError:
        structlog.get_logger("cartrita.x").exception("broken")
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [(line["logger"], line["event"]) for line in lines] == [
        ("cartrita.x", "ours"),
        ("uvicorn", "theirs at /x?key=***"),
        ("cartrita.x", "broken"),
    ]
    assert (lines[0]["count"], lines[0]["api_key"]) == (3, "***")
    assert "ValueError: first" in lines[2]["exception"]
    shown = capsys.readouterr().err
    assert "ours" in shown
    assert not shown.startswith("{")
    assert CANARY not in shown + path.read_text()


def test_the_id_of_a_key_is_no_key(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("info", "json")
    structlog.get_logger().info("asked", key_id="0123456789abcdef", api_key=CANARY)
    (line,) = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert (line["key_id"], line["api_key"]) == ("0123456789abcdef", "***")


def test_what_fails_in_a_thread_is_logged_as_all_else(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("info", "json")
    logs.log_failures_of_threads()
    error = ValueError(f"it broke\nDETAIL: {CANARY}")
    failure = SimpleNamespace(
        exc_type=ValueError, exc_value=error, exc_traceback=None, thread=threading.current_thread()
    )
    threading.excepthook(failure)  # pyright: ignore[reportArgumentType] - as Python calls it
    shown = capsys.readouterr().err
    assert json.loads(shown)["event"] == "thread_failed"
    assert "ValueError: it broke" in shown
    assert CANARY not in shown

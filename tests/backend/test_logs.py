"""Logs: every line is whole and dated, both ways in end in one, and no secret is in any of them."""

import errno
import io
import json
import logging
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from uuid import UUID

import pytest
import structlog

from cartrita import logs
from cartrita.domain.runs import BusyPolicy
from cartrita.kit.secret import Secret

CANARY = "canary-71c4e9"
LOUD = ("", "uvicorn", "uvicorn.error", "uvicorn.access", "alembic")


class Plain(Enum):
    ONE = 1


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class FullDisk(io.StringIO):
    """A log that nothing can be written to until there is room."""

    has_room = False

    def write(self, text: str, /) -> int:
        if not self.has_room:
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().write(text)


class Written:
    """What has come out on stderr so far."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys
        self._text = ""

    def getvalue(self) -> str:
        self._text += self._capsys.readouterr().err
        return self._text


@pytest.fixture
def stderr(capsys: pytest.CaptureFixture[str]) -> Iterator[Written]:
    """A stderr to read; the loggers of the process are put back afterwards."""
    loggers = [logging.getLogger(name) for name in LOUD]
    before = [(one.level, list(one.handlers), one.propagate, one.disabled) for one in loggers]
    yield Written(capsys)
    for one, (level, handlers, propagate, disabled) in zip(loggers, before, strict=True):
        one.setLevel(level)
        one.handlers[:] = handlers
        one.propagate, one.disabled = propagate, disabled
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def lines(stream: Written) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_is_dated_levelled_and_bound_to_its_context(stderr: Written) -> None:
    logs.configure("info", "json")
    structlog.contextvars.bind_contextvars(request_id="req_1")
    before = datetime.now(UTC)
    structlog.get_logger().info("run_started", run_id=UUID(int=7), count=3, ok=True, none=None)
    (line,) = lines(stderr)
    stamp = str(line.pop("timestamp"))
    assert stamp.endswith("Z")
    assert before <= datetime.fromisoformat(stamp) <= datetime.now(UTC)
    assert line == {
        "event": "run_started",
        "level": "info",
        "request_id": "req_1",
        "run_id": "00000000-0000-0000-0000-000000000007",
        "count": 3,
        "ok": True,
        "none": None,
    }


def test_levels_hold_on_both_ways_in(stderr: Written) -> None:
    logs.configure("warning", "json")
    structlog.get_logger().info("ours_quiet")
    structlog.get_logger().warning("ours_loud")
    logging.getLogger("uvicorn.error").info("quiet")
    logging.getLogger("uvicorn.error").warning("loud")
    assert [line["event"] for line in lines(stderr)] == ["ours_loud", "loud"]


def test_configuring_again_reaches_loggers_that_exist(stderr: Written) -> None:
    logger = structlog.get_logger()
    logs.configure("error", "json")
    logger.info("unheard")
    logs.configure("debug", "json")
    logger.debug("heard")
    assert [line["event"] for line in lines(stderr)] == ["heard"]


def test_libraries_end_in_the_same_lines(stderr: Written) -> None:
    for name in ("uvicorn", "uvicorn.error"):  # as uvicorn's own set-up leaves them
        logging.getLogger(name).addHandler(logging.StreamHandler(sys.stderr))
        logging.getLogger(name).propagate = False
    logs.configure("info", "json")
    logging.getLogger("uvicorn.error").info("Started server process [%d]", 7)
    logging.getLogger("alembic.runtime.migration").info("Running upgrade")
    logging.getLogger("asyncio").error("Task exception was never retrieved")
    logging.getLogger("some.library").warning("careful")
    assert [(line["logger"], line["event"]) for line in lines(stderr)] == [
        ("uvicorn.error", "Started server process [7]"),
        ("alembic.runtime.migration", "Running upgrade"),
        ("asyncio", "Task exception was never retrieved"),
        ("some.library", "careful"),
    ]


def test_statements_and_whole_urls_are_never_heard(stderr: Written) -> None:
    logs.configure("debug", "json")
    logging.getLogger("sqlalchemy.engine").info("INSERT %s", CANARY)
    logging.getLogger("asyncio").debug(CANARY)
    logging.getLogger("uvicorn.access").info('"GET /api?message=%s"', CANARY)
    assert stderr.getvalue() == ""


def test_a_terminal_gets_columns_and_a_pipe_gets_json(
    stderr: Written, monkeypatch: pytest.MonkeyPatch
) -> None:
    logs.configure("info", "auto")
    structlog.get_logger().info("to_a_pipe")
    assert lines(stderr)[0]["event"] == "to_a_pipe"
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    logs.configure("info", "auto")
    structlog.get_logger().info("to_a_person", count=3)
    assert "to_a_person" in terminal.getvalue()
    assert not terminal.getvalue().startswith("{")


@pytest.mark.parametrize("output", ["json", "console"])
def test_no_secret_reaches_a_line(output: logs.Format, stderr: Written) -> None:
    logs.configure("debug", output)
    log = structlog.get_logger()
    key = f"ck_1a2b_{CANARY}_ff"
    log.info("wrapped", value=Secret(CANARY), inside=[Secret(CANARY)], of={"x": Secret(CANARY)})
    log.info("headers", headers={"X-Anything": CANARY, "Authorization": f"Bearer {CANARY}"})
    log.info("pairs", pairs=[{"X-Anything": CANARY}])
    log.info("named", api_key=CANARY, Cookie=CANARY, x_token=[CANARY], client_secret=CANARY)
    log.info("named", password=CANARY, authorization=CANARY, credentials={"a": CANARY})
    log.info("raw", body=CANARY.encode(), thing=io.StringIO(CANARY), kept={Secret})
    log.info("url", url=f"http://me:{CANARY}@h/p?a={CANARY}&b={CANARY}#code={CANARY}")
    log.info("GET /x?api_key=%s", CANARY)
    log.info("text", text=f"sent Bearer {CANARY}-0123456789 and {key}")
    logging.getLogger("uvicorn.error").info("at /x?api_key=%s with %s", CANARY, Secret(CANARY))
    logging.getLogger("uvicorn.error").info("sk-%s", CANARY)
    written = stderr.getvalue()
    assert CANARY not in written
    assert written.count("\n") == 11
    assert "http://***@h/p?a=***&b=***#code=***" in written


def test_numbers_are_no_secrets(stderr: Written) -> None:
    logs.configure("info", "json")
    usage = {"input_tokens": 12, "text": "hello"}
    structlog.get_logger().info("usage", input_tokens=12, keys=3, counts=usage)
    (line,) = lines(stderr)
    assert (line["input_tokens"], line["keys"]) == (12, 3)
    assert line["counts"] == {"input_tokens": 12, "text": "***"}


def test_known_values_keep_their_meaning(stderr: Written) -> None:
    logs.configure("info", "json")
    structlog.get_logger().info(
        "values",
        path=Path("/data"),
        at=datetime(2026, 1, 2, tzinfo=UTC),
        parts=("a", 1, None),
        busy=BusyPolicy.REJECT,
        enum=Plain.ONE,
    )
    (line,) = lines(stderr)
    assert line["path"] == "/data"
    assert line["at"] == "2026-01-02 00:00:00+00:00"
    assert line["parts"] == ["a", 1, None]
    assert (line["busy"], line["enum"]) == ("reject", 1)


def test_a_value_can_neither_forge_nor_flood(stderr: Written) -> None:
    logs.configure("info", "console")
    structlog.get_logger().info("seen\x1b[31m\n2026 forged", name="a\r\nb", many="x" * 9000)
    assert stderr.getvalue().count("\n") == 1
    assert "\x1b" not in stderr.getvalue()
    assert len(stderr.getvalue()) < 700


@pytest.mark.parametrize("output", ["json", "console"])
def test_a_traceback_has_frames_and_first_lines_only(output: logs.Format, stderr: Written) -> None:
    logs.configure("info", output)
    hidden = CANARY + "-in-a-local-variable"
    assert hidden
    try:
        try:
            raise ValueError(f"duplicate value\nDETAIL: Key (text)=({CANARY})")
        except ValueError as error:
            parts = [OSError("one"), KeyError("two")]
            raise ExceptionGroup(f"several, at http://h?key={CANARY}", parts) from error
    except ExceptionGroup as error:
        structlog.get_logger().exception("run_failed", error=error)
        logging.getLogger("asyncio").exception("Task failed")
    written = stderr.getvalue()
    assert CANARY not in written
    for part in ("ValueError: duplicate value", "and then:", "several, at http://h?key=***"):
        assert written.count(part) >= 2
    assert "OSError: one" in written
    assert "KeyError: 'two'" in written
    assert "test_logs.py" in written


def test_an_endless_chain_of_causes_ends(stderr: Written) -> None:
    logs.configure("info", "json")
    first, second = ValueError("first"), ValueError("second")
    first.__cause__, second.__cause__ = second, first
    structlog.get_logger().error("looped", exc_info=first)
    (line,) = lines(stderr)
    assert str(line["exception"]).count("ValueError") == 11


def test_a_line_for_which_the_disk_has_no_room_is_lost(
    stderr: Written, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = FullDisk()
    monkeypatch.setattr(sys, "stderr", full)
    logs.configure(output="json")
    log = structlog.get_logger()
    log.error("lost")
    logging.getLogger("uvicorn.error").error("lost")
    full.has_room = True
    log.info("kept")
    (line,) = full.getvalue().splitlines()
    assert json.loads(line)["event"] == "kept"

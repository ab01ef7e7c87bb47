"""The terminal client before a person: markdown, bars and questions, in a pseudo-terminal."""

import os
import pty
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from tests.client.scenes import ANSWER
from tests.harness.server import KEY, Server

_WATCHDOG_S = 60
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def seen(server: Server, words: list[str], said: Mapping[str, str] | None = None) -> str:
    """What the screen shows; where a text of `said` appears, its answer is typed."""
    screen, terminal = pty.openpty()
    environment = {
        **os.environ,
        "TERM": "xterm",
        "COLUMNS": "100",
        "CARTRITA_CLIENT_URL": server.base,
        "CARTRITA_CLIENT_KEY": KEY,
    }
    command = [sys.executable, "-m", "cartrita_client", *words]
    with subprocess.Popen(
        command, stdin=terminal, stdout=terminal, stderr=terminal, env=environment
    ) as process:
        os.close(terminal)
        shown = _read(screen, dict(said or {}))
        assert process.wait(_WATCHDOG_S) == 0, shown
    os.close(screen)
    return shown


def _read(screen: int, said: dict[str, str]) -> str:
    octets = b""
    while True:
        try:
            octets += os.read(screen, 65536)
        except OSError:  # the terminal was closed by the last process that had it
            return _CONTROL.sub("", octets.decode())
        shown = _CONTROL.sub("", octets.decode(errors="ignore"))
        for question in [each for each in said if each in shown]:
            os.write(screen, said.pop(question).encode() + b"\n")


def test_an_answer_is_shown(server: Server) -> None:
    assert ANSWER in seen(server, ["ask", "Hello."])


def test_plain_is_plain(server: Server) -> None:
    assert seen(server, ["--plain", "ask", "Hello."]) == f"{ANSWER}\r\n"


@pytest.mark.parametrize("plain", [["--plain"], []])
def test_an_answer_does_nothing_to_the_terminal(server: Server, plain: list[str]) -> None:
    shown = seen(server, [*plain, "ask", "Please paint."])
    assert "\x1b" not in shown
    assert "\a" not in shown
    assert "\u202e" not in shown
    assert "Well ✓ ]52;c;ZXZpbA==[2Jdone." in shown


def test_a_person_decides(server: Server) -> None:
    words = ["ask", "--approval", "always", "Please calculate."]
    shown = seen(server, words, {"Allow it? [y/N]": "y"})
    assert "calculator wants to run" in shown
    assert "It is 42." in shown


def test_an_upload_has_a_bar(server: Server, text_file: Path) -> None:
    shown = seen(server, ["upload", str(text_file)])
    assert "notes.txt" in shown
    assert "kB" in shown


def test_agents_are_a_table(server: Server) -> None:
    shown = seen(server, ["agents"])
    assert "Status" in shown
    assert "supervisor" in shown


def test_a_conversation(server: Server) -> None:
    shown = seen(server, ["chat"], {"> ": "Hello.", ANSWER: ""})
    assert ANSWER in shown
    assert "Go on with --conversation conv_" in shown

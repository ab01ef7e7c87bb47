"""The worker processes of one server: started, told, listened to, replaced and stopped."""

import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import structlog

from cartrita.cli import brief
from cartrita.cli.brief import Brief, Word

log = structlog.get_logger()

_WORKER = (sys.executable, "-m", "cartrita.cli.worker")
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

    def tell(self, order: Brief) -> None:
        if self.process.stdin is not None:
            self.process.stdin.write(brief.encode(order) + b"\n")
            self.process.stdin.flush()

    def words(self) -> Iterator[Word]:
        """What it has said since the last call; nothing where it has closed its mouth."""
        if self.process.stdout is not None:
            for line in os.read(self.process.stdout.fileno(), 1 << 16).splitlines():
                yield brief.word(line)

    def end(self, seconds: float) -> None:
        """Wait for it; kill it where it takes longer."""
        try:
            self.process.wait(timeout=max(0.1, seconds))
        except subprocess.TimeoutExpired:
            log.warning("worker_killed", pid=self.process.pid)
            self.process.kill()
            self.process.wait()


class Crew:
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

    def listen(self, seconds: float) -> Iterator[tuple[int, Word]]:
        """What the workers say within some seconds, each with its slot."""
        for key, _ in self._selector.select(seconds):
            slot: int = key.data
            said = list(self.workers[slot].words())
            if not said:
                self._selector.unregister(key.fileobj)
            for word in said:
                yield slot, word

    def dead(self) -> list[int]:
        return [slot for slot, w in self.workers.items() if w.process.poll() is not None]

    def replace(self, slot: int) -> Worker:
        """Start a new worker in the place of a dead one, not faster than once a second."""
        old = self.workers[slot]
        log.warning("worker_died", slot=slot, code=old.process.returncode)
        self._hang_up(old)
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
            self._hang_up(worker)

    def _hang_up(self, worker: Worker) -> None:
        if worker.process.stdout is not None:
            if worker.process.stdout in self._selector.get_map():
                self._selector.unregister(worker.process.stdout)
            worker.process.stdout.close()
        if worker.process.stdin is not None:
            worker.process.stdin.close()

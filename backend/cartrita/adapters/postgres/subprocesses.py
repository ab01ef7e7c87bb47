"""Child processes: started as the right user, in a clean environment, ended with their parent."""

import ctypes
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import IO

from cartrita.adapters.postgres.os_users import OsUser

# Nothing of the caller's environment: PGHOST, PGOPTIONS, PGSERVICE and LD_LIBRARY_PATH would all
# affect PostgreSQL's programs. LC_ALL=C keeps their messages in English, which errors.py parses.
_ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C"}
_PR_SET_PDEATHSIG = 1
_CURRENT_USER = OsUser("", 0, 0, drop_privileges=False)

# A shell that forks a watcher and then execs the command. The watcher reads a pipe whose other end
# only we hold: a line dismisses it, end of file means that we are gone. `$$` stays the command's
# process id; the double fork keeps the watcher from being a child of the command, which PostgreSQL
# would count as one of its own.
_WATCHED = """
exec 3<&0 </dev/null
( ( read -r word <&3; [ -n "$word" ] || kill -s INT $$ ) & )
exec 3<&-
exec "$@"
"""


class ParentWatch(Enum):
    """How a child learns that its parent is gone, also after SIGKILL: a signal or a pipe."""

    KERNEL = "kernel"
    PIPE = "pipe"


@dataclass(frozen=True)
class Completed:
    """The result of a program that has ended."""

    code: int
    stdout: str
    stderr: str

    @property
    def ok(self) -> bool:
        return self.code == 0

    @property
    def last_line(self) -> str:
        """The last line of its output (stderr first), for an error message."""
        lines = (self.stderr or self.stdout).strip().splitlines()
        return lines[-1].strip() if lines else f"exit code {self.code}"


def choose_parent_watch() -> ParentWatch:
    """The kernel's signal where that is reliable, else a pipe.

    Linux sends the death signal when the *thread* that forked exits, and a hook between fork and
    exec is safe only while there is one thread; a pipe has neither restriction.
    """
    alone = threading.current_thread() is threading.main_thread() and threading.active_count() == 1
    return ParentWatch.KERNEL if sys.platform == "linux" and alone else ParentWatch.PIPE


def run(
    command: Sequence[str | Path],
    *,
    user: OsUser = _CURRENT_USER,
    text: str = "",
    variables: Mapping[str, str] | None = None,
    timeout_s: float | None = None,
) -> Completed:
    """Run one program to its end. Raises OSError or subprocess.TimeoutExpired."""
    kernel = choose_parent_watch() is ParentWatch.KERNEL
    done = subprocess.run(  # noqa: S603  # programs of a PostgreSQL that binaries.py has chosen
        [str(word) for word in command],
        input=text,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        cwd="/",  # the user may not be able to enter ours, and initdb calls getcwd
        env={**_ENVIRONMENT, **(variables or {})},
        user=user.child_uid,
        group=user.child_gid,
        extra_groups=user.child_groups,
        start_new_session=True,
        preexec_fn=_signal_on_parent_death(os.getpid()) if kernel else None,
        timeout=timeout_s,
        check=False,
    )
    return Completed(done.returncode, done.stdout, done.stderr)


class Daemon:
    """A long-lived child in its own session, so that Ctrl-C does not reach it directly."""

    def __init__(
        self,
        command: Sequence[str | Path],
        *,
        user: OsUser,
        log: IO[bytes],
        parent_watch: ParentWatch | None = None,
    ) -> None:
        words = [str(word) for word in command]
        kernel = (parent_watch or choose_parent_watch()) is ParentWatch.KERNEL
        read_end, write_end = os.pipe() if not kernel else (None, None)
        try:
            self._process = subprocess.Popen(  # noqa: S603  # as above
                words if kernel else ["/bin/sh", "-c", _WATCHED, "sh", *words],
                stdin=subprocess.DEVNULL if read_end is None else read_end,
                stdout=log,
                stderr=log,
                cwd="/",
                env=_ENVIRONMENT,
                user=user.child_uid,
                group=user.child_gid,
                extra_groups=user.child_groups,
                start_new_session=True,
                preexec_fn=_signal_on_parent_death(os.getpid()) if kernel else None,
            )
        except BaseException:
            if write_end is not None:
                os.close(write_end)
            raise
        finally:
            if read_end is not None:
                os.close(read_end)
        self._pipe = write_end

    @property
    def pid(self) -> int:
        return self._process.pid

    def poll(self) -> int | None:
        """The exit code once it has ended."""
        code = self._process.poll()
        if code is not None:
            self._dismiss_watcher()
        return code

    def stop(self, stages: Sequence[tuple[signal.Signals, float]]) -> None:
        """Send each signal and wait up to its seconds, until the process is gone."""
        for signum, seconds in stages:
            self._process.send_signal(signum)
            try:
                self._process.wait(seconds)
                break
            except subprocess.TimeoutExpired:
                continue
        self.poll()

    def _dismiss_watcher(self) -> None:
        """The process id may be reused from now on: the watcher must not signal it."""
        if self._pipe is None:
            return
        pipe, self._pipe = self._pipe, None
        try:
            os.write(pipe, b"dismissed\n")
        except BrokenPipeError:
            pass  # the watcher has already ended
        finally:
            os.close(pipe)


def _signal_on_parent_death(parent: int) -> Callable[[], None]:
    """A preexec hook; it runs after the change of user, which would reset the signal."""
    prctl = ctypes.CDLL(None).prctl

    def hook() -> None:
        # A parent started with `&` or nohup ignores SIGINT, and so would the child.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        prctl(_PR_SET_PDEATHSIG, int(signal.SIGINT))
        if os.getppid() != parent:
            os._exit(1)  # the parent died between the fork and the call above

    return hook

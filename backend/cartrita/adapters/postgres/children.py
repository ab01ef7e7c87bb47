"""How child processes start: as the right user, in a clean environment, never outliving us."""

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

from cartrita.adapters.postgres.accounts import Account

# Nothing of the caller's environment: PGHOST, PGOPTIONS, PGSERVICE and LD_LIBRARY_PATH would all
# steer PostgreSQL's programs. LC_ALL=C keeps their messages in the English that diagnosis.py reads.
_ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C"}
_PR_SET_PDEATHSIG = 1
_ANYBODY = Account("", 0, 0, switched=False)

# A shell that leaves a watcher behind and becomes the command. The watcher reads a pipe whose other
# end only we hold: a word lets it go, the end of file says that we are gone. `$$` stays the
# command's process id; the double fork makes the watcher a stranger to the command, which counts
# its children.
_ON_A_LEASH = """
exec 3<&0 </dev/null
( ( read -r word <&3; [ -n "$word" ] || kill -s INT $$ ) & )
exec 3<&-
exec "$@"
"""


class Deathwatch(Enum):
    """How a child learns that its parent is gone, even by SIGKILL."""

    KERNEL = "kernel"
    LEASH = "leash"


@dataclass(frozen=True)
class Completed:
    """A program that has run."""

    code: int
    stdout: str
    stderr: str

    @property
    def ok(self) -> bool:
        return self.code == 0

    @property
    def last_line(self) -> str:
        """What it said last, for a sentence."""
        lines = (self.stderr or self.stdout).strip().splitlines()
        return lines[-1].strip() if lines else f"exit code {self.code}"


def fitting_deathwatch() -> Deathwatch:
    """The kernel's own where it can be trusted.

    Linux sends the death signal when the *thread* that forked exits, and a hook between fork and
    exec is safe only while there is one thread; the leash has neither condition.
    """
    alone = threading.current_thread() is threading.main_thread() and threading.active_count() == 1
    return Deathwatch.KERNEL if sys.platform == "linux" and alone else Deathwatch.LEASH


def run(
    command: Sequence[str | Path],
    *,
    account: Account = _ANYBODY,
    text: str = "",
    variables: Mapping[str, str] | None = None,
    timeout_s: float | None = None,
) -> Completed:
    """Run one program to its end; raises OSError or subprocess.TimeoutExpired."""
    kernel = fitting_deathwatch() is Deathwatch.KERNEL
    done = subprocess.run(  # noqa: S603  # programs of a PostgreSQL that binaries.py has chosen
        [str(word) for word in command],
        input=text,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        cwd="/",  # the account may not be able to stand where we do, and initdb asks where it is
        env={**_ENVIRONMENT, **(variables or {})},
        user=account.user,
        group=account.group,
        extra_groups=account.extra_groups,
        start_new_session=True,
        preexec_fn=_end_with(os.getpid()) if kernel else None,
        timeout=timeout_s,
        check=False,
    )
    return Completed(done.returncode, done.stdout, done.stderr)


class Daemon:
    """A long-lived child in a session of its own, so that Ctrl-C reaches it only through us."""

    def __init__(
        self,
        command: Sequence[str | Path],
        *,
        account: Account,
        log: IO[bytes],
        deathwatch: Deathwatch | None = None,
    ) -> None:
        words = [str(word) for word in command]
        kernel = (deathwatch or fitting_deathwatch()) is Deathwatch.KERNEL
        held, leash = os.pipe() if not kernel else (None, None)
        try:
            self._process = subprocess.Popen(  # noqa: S603  # as above
                words if kernel else ["/bin/sh", "-c", _ON_A_LEASH, "sh", *words],
                stdin=subprocess.DEVNULL if held is None else held,
                stdout=log,
                stderr=log,
                cwd="/",
                env=_ENVIRONMENT,
                user=account.user,
                group=account.group,
                extra_groups=account.extra_groups,
                start_new_session=True,
                preexec_fn=_end_with(os.getpid()) if kernel else None,
            )
        except BaseException:
            if leash is not None:
                os.close(leash)
            raise
        finally:
            if held is not None:
                os.close(held)
        self._leash = leash

    @property
    def pid(self) -> int:
        return self._process.pid

    def poll(self) -> int | None:
        """The exit code once it has ended."""
        code = self._process.poll()
        if code is not None:
            self._let_go()
        return code

    def end(self, stages: Sequence[tuple[signal.Signals, float]]) -> None:
        """Send each signal and wait its seconds, until the process is gone."""
        for signum, seconds in stages:
            self._process.send_signal(signum)
            try:
                self._process.wait(seconds)
                break
            except subprocess.TimeoutExpired:
                continue
        self.poll()

    def _let_go(self) -> None:
        """Its number may belong to somebody else from now on: the watcher must not use it."""
        if self._leash is None:
            return
        leash, self._leash = self._leash, None
        try:
            os.write(leash, b"free\n")
        except BrokenPipeError:
            pass  # somebody has ended the watcher before us
        finally:
            os.close(leash)


def _end_with(parent: int) -> Callable[[], None]:
    """A hook for the child between fork and exec, after the change of user, which undoes it."""
    prctl = ctypes.CDLL(None).prctl

    def hook() -> None:
        # A parent started with `&` or nohup ignores SIGINT, and so would the child.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        prctl(_PR_SET_PDEATHSIG, int(signal.SIGINT))
        if os.getppid() != parent:
            os._exit(1)  # the parent died between the fork and the call above

    return hook

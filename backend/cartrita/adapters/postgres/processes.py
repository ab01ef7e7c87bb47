"""The processes of one database, found by the folder they work in, and ended.

A process id in a file proves nothing (it may be somebody else's by now). Every PostgreSQL process
works in its database's folder, which no other program of that name does.
"""

import os
import shutil
import signal
import time
from contextlib import suppress
from pathlib import Path

import structlog

from cartrita.adapters.postgres import children
from cartrita.adapters.postgres.accounts import Account
from cartrita.adapters.postgres.errors import StartFailed

_PATIENCE_S = 5.0
_PAUSE_S = 0.01
_PROC = Path("/proc/self/comm")
# `-ef` compares the folders themselves, not their names.
_SCAN = """
for d in /proc/[0-9]*; do
  { read -r name <"$d/comm"; } 2>/dev/null || continue
  [ "$name" = postgres ] && [ "$d/cwd" -ef "$1" ] && echo "${d#/proc/}"
done
exit 0
"""
_log = structlog.get_logger(__name__)


def postmaster_file(cluster: Path) -> Path:
    """Where a server says that it runs; it removes the file when it ends in order."""
    return cluster / "postmaster.pid"


def running(cluster: Path, account: Account) -> set[int]:
    """The ids of all processes of this database's server, whoever started it.

    Where neither /proc nor lsof can tell, none are found and PostgreSQL's own lock decides.
    """
    if _PROC.exists():
        return _listed_by_proc(cluster, account)
    program = _lsof()
    return listed_by_lsof(program, cluster) if program else set()


def evict(cluster: Path, account: Account, patience_s: float) -> None:
    """End whatever still serves this database; the caller holds the data directory's lock.

    A living server gets `patience_s` for its shutdown checkpoint. Processes whose server is gone
    (it was killed) are hurried: they hold its shared memory, and no new one may start beside them.
    """
    if not postmaster_file(cluster).exists():
        return
    stages = [
        (signal.SIGINT, patience_s),
        (signal.SIGQUIT, _PATIENCE_S),
        (signal.SIGKILL, _PATIENCE_S),
    ]
    for signum, seconds in stages:
        found = running(cluster, account)
        if not found:
            break
        postmaster = _postmaster(cluster)
        if signum is signal.SIGINT and postmaster not in found:
            continue
        polite = postmaster in found and signum is not signal.SIGKILL
        _log.warning(
            "postgres_evicted", cluster=str(cluster), pids=sorted(found), signal=signum.name
        )
        _signal({postmaster} if polite and postmaster else found, signum)
        if _gone_within(cluster, account, seconds):
            break
    else:
        raise StartFailed(
            f"An earlier PostgreSQL still holds {cluster} and does not end even when killed: "
            "its disk hangs, or the machine needs a restart."
        )
    _forget(cluster)


def _forget(cluster: Path) -> None:
    """Remove a dead server's record, lest PostgreSQL believe that whoever has its number is it.

    Not while that is a living process named postgres, which we may not have been allowed to see.
    """
    with suppress(OSError, ValueError, IndexError):
        status = Path(f"/proc/{_postmaster(cluster)}/stat").read_text()
        name, state = status[status.index("(") + 1 :].rsplit(")", 1)
        if name == "postgres" and state.split()[0] not in "ZX":
            return
    if _PROC.exists() or _lsof():
        postmaster_file(cluster).unlink(missing_ok=True)


def _gone_within(cluster: Path, account: Account, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while running(cluster, account):
        if time.monotonic() > deadline:
            return False
        time.sleep(_PAUSE_S)
    return True


def _listed_by_proc(cluster: Path, account: Account) -> set[int]:
    # Also as the database's user: a root without CAP_SYS_PTRACE (a container's) may not look at the
    # working directories of others.
    scans = [children.run(["/bin/sh", "-c", _SCAN, "sh", cluster])]
    if account.switched:
        scans.append(children.run(["/bin/sh", "-c", _SCAN, "sh", cluster], account=account))
    return {int(line) for scan in scans for line in scan.stdout.split()}


def _lsof() -> str | None:
    return shutil.which("lsof", path="/usr/sbin:/usr/bin:/sbin:/bin")


def listed_by_lsof(program: str, cluster: Path) -> set[int]:
    """The same where there is no /proc (macOS brings lsof)."""
    said = children.run([program, "-w", "-a", "-c", "postgres", "-d", "cwd", "-F", "pn"])
    found: set[int] = set()
    pid = 0
    for line in said.stdout.splitlines():
        if line.startswith("p"):
            pid = int(line[1:])
        elif line == f"n{cluster}":
            found.add(pid)
    return found


def _postmaster(cluster: Path) -> int | None:
    with suppress(OSError, ValueError, IndexError):
        return int(postmaster_file(cluster).read_text().splitlines()[0])
    return None


def _signal(pids: set[int], signum: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signum)

"""Finding and terminating the PostgreSQL processes of one cluster, by their working directory.

A process id in a file proves nothing: it may have been reused. Every PostgreSQL process has its
cluster's folder as working directory.
"""

import os
import shutil
import signal
import time
from contextlib import suppress
from pathlib import Path

import structlog

from cartrita.adapters.postgres import subprocesses
from cartrita.adapters.postgres.errors import StartFailed
from cartrita.adapters.postgres.os_users import OsUser

_KILL_TIMEOUT_S = 5.0
_POLL_S = 0.01
_PROC = Path("/proc/self/comm")
# `-ef` compares the folders themselves, not their names.
_SCAN = """
for d in /proc/[0-9]*; do
  { read -r name <"$d/comm"; } 2>/dev/null || continue
  [ "$name" = postgres ] && [ "$d/cwd" -ef "$1" ] && echo "${d#/proc/}"
done
exit 0
"""
log = structlog.get_logger(__name__)


def postmaster_file(cluster: Path) -> Path:
    """PostgreSQL's pid file; the server removes it at an orderly shutdown."""
    return cluster / "postmaster.pid"


def find_pids(cluster: Path, user: OsUser) -> set[int]:
    """The ids of all processes of this cluster's server, whoever started it.

    Without /proc and lsof none are found, and PostgreSQL's own lock file decides.
    """
    if _PROC.exists():
        return _find_pids_in_proc(cluster, user)
    program = _lsof()
    return find_pids_with_lsof(program, cluster) if program else set()


def terminate(cluster: Path, user: OsUser, timeout_s: float) -> None:
    """End whatever still serves this cluster; the caller holds the data directory's lock.

    A living server gets `timeout_s` for its shutdown checkpoint. Processes whose postmaster was
    killed get SIGQUIT at once: they hold its shared memory, and no new server can start beside
    them. Raises StartFailed where a process survives SIGKILL.
    """
    if not postmaster_file(cluster).exists():
        return
    stages = [
        (signal.SIGINT, timeout_s),
        (signal.SIGQUIT, _KILL_TIMEOUT_S),
        (signal.SIGKILL, _KILL_TIMEOUT_S),
    ]
    for signum, seconds in stages:
        found = find_pids(cluster, user)
        if not found:
            break
        postmaster = _postmaster_pid(cluster)
        if signum is signal.SIGINT and postmaster not in found:
            continue
        postmaster_only = postmaster in found and signum is not signal.SIGKILL
        log.warning(
            "postgres_evicted", cluster=str(cluster), pids=sorted(found), signal=signum.name
        )
        _signal({postmaster} if postmaster_only and postmaster else found, signum)
        if _gone_within(cluster, user, seconds):
            break
    else:
        raise StartFailed(
            f"An earlier PostgreSQL still holds {cluster} and does not end even when killed: "
            "its disk hangs, or the machine needs a restart."
        )
    _remove_postmaster_file(cluster)


def _remove_postmaster_file(cluster: Path) -> None:
    """Remove a dead server's pid file: PostgreSQL would take any process with that id for it.

    Kept while that is a living process named postgres, whose directory we may not be able to see.
    """
    with suppress(OSError, ValueError, IndexError):
        status = Path(f"/proc/{_postmaster_pid(cluster)}/stat").read_text()
        name, state = status[status.index("(") + 1 :].rsplit(")", 1)
        if name == "postgres" and state.split()[0] not in "ZX":
            return
    if _PROC.exists() or _lsof():
        postmaster_file(cluster).unlink(missing_ok=True)


def _gone_within(cluster: Path, user: OsUser, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while find_pids(cluster, user):
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_S)
    return True


def _find_pids_in_proc(cluster: Path, user: OsUser) -> set[int]:
    # Also as the database's user: root without CAP_SYS_PTRACE (in a container) may not read the
    # working directories of other users' processes.
    scans = [subprocesses.run(["/bin/sh", "-c", _SCAN, "sh", cluster])]
    if user.drop_privileges:
        scans.append(subprocesses.run(["/bin/sh", "-c", _SCAN, "sh", cluster], user=user))
    return {int(line) for scan in scans for line in scan.stdout.split()}


def _lsof() -> str | None:
    return shutil.which("lsof", path="/usr/sbin:/usr/bin:/sbin:/bin")


def find_pids_with_lsof(program: str, cluster: Path) -> set[int]:
    """For systems without /proc; macOS ships lsof."""
    listing = subprocesses.run([program, "-w", "-a", "-c", "postgres", "-d", "cwd", "-F", "pn"])
    found: set[int] = set()
    pid = 0
    for line in listing.stdout.splitlines():
        if line.startswith("p"):
            pid = int(line[1:])
        elif line == f"n{cluster}":
            found.add(pid)
    return found


def _postmaster_pid(cluster: Path) -> int | None:
    with suppress(OSError, ValueError, IndexError):
        return int(postmaster_file(cluster).read_text().splitlines()[0])
    return None


def _signal(pids: set[int], signum: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signum)

"""Where a server of ours listens: a socket in a folder that only its user enters, else loopback."""

import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from cartrita.adapters.postgres import folders
from cartrita.adapters.postgres.accounts import Account

_PORT = 5432  # names the socket file; in a folder of our own it meets no other server
_LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Address:
    """`host` is the socket's folder, or loopback; `made` is a folder to remove at the end."""

    host: str
    port: int
    made: Path | None = None

    @property
    def socket_path(self) -> Path | None:
        folder = self.host.startswith("/")
        return Path(self.host) / f".s.PGSQL.{self.port}" if folder else None

    def settings(self) -> dict[str, str]:
        """PostgreSQL's settings that make it listen here and nowhere else."""
        if self.socket_path is None:
            return {
                "listen_addresses": self.host,
                "port": str(self.port),
                "unix_socket_directories": "",
            }
        quoted = self.host.replace('"', '""')  # the setting is a list: a path may contain a comma
        return {
            "listen_addresses": "",
            "port": str(self.port),
            "unix_socket_directories": f'"{quoted}"',
            "unix_socket_permissions": "0700",
        }

    def clear(self) -> None:
        """Remove what a killed server left; the caller knows that none runs any more.

        The lock beside the socket holds a process id, and PostgreSQL takes any process of that id
        for a server: another program, or a zombie that nobody reaps.
        """
        if self.socket_path:
            self.socket_path.unlink(missing_ok=True)
            Path(f"{self.socket_path}.lock").unlink(missing_ok=True)

    def forget(self) -> None:
        """Remove the folder that was made for it."""
        if self.made:
            shutil.rmtree(self.made, ignore_errors=True)


def choose(cluster: Path, account: Account) -> Address:
    """In the database's own folder; where a socket cannot live there, in a short one of our own.

    A socket's path has room for about a hundred bytes, and some mounts cannot hold one at all.
    """
    if _holds_socket(cluster):
        return Address(str(cluster), _PORT)
    for folder in _short_folders(cluster, account):
        if _holds_socket(folder):
            return Address(str(folder), _PORT, made=folder)
        folder.rmdir()
    return Address(_LOOPBACK, _free_port())


def _short_folders(cluster: Path, account: Account) -> Iterator[Path]:
    name = f"cartrita-{folders.short_name(cluster)}"
    for root in dict.fromkeys((tempfile.gettempdir(), "/tmp")):  # noqa: S108  # claimed or made below
        if not folders.can_enter(Path(root), account):
            continue
        # The same name each time, so that a killed parent's folder is used again; a stranger may
        # have taken it.
        if folders.claim(Path(root) / name, 0o700, owner=account):
            yield Path(root) / name
        else:
            folder = Path(tempfile.mkdtemp(prefix="cartrita-", dir=root))
            account.own(folder)
            yield folder


def _holds_socket(folder: Path) -> bool:
    # As long a name as the real one has, so that the length of the path is tried as well.
    path = folder / f".s.PROBE.{_PORT}"
    if not hasattr(socket, "AF_UNIX"):
        return False
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.bind(str(path))
        except OSError:
            return False
        finally:
            with suppress(OSError):
                os.unlink(path)
    return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((_LOOPBACK, 0))
        return int(probe.getsockname()[1])

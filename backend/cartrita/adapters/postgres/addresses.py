"""Where our server listens: a Unix socket that only its user may reach, else loopback."""

import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from cartrita.adapters.postgres import data_layout
from cartrita.adapters.postgres.os_users import OsUser

_PORT = 5432  # names the socket file; in a folder of our own it meets no other server
_LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Address:
    """`host` is the socket's folder, or loopback; `own_directory` was created for it."""

    host: str
    port: int
    own_directory: Path | None = None

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

    def remove_stale_socket(self) -> None:
        """Remove what a killed server left; the caller knows that no server runs.

        The lock beside the socket holds a process id, and PostgreSQL takes any process of that id
        for a server, also another program or a zombie.
        """
        if self.socket_path:
            self.socket_path.unlink(missing_ok=True)
            Path(f"{self.socket_path}.lock").unlink(missing_ok=True)

    def remove_directory(self) -> None:
        """Remove the folder that was created for it, if any."""
        if self.own_directory:
            shutil.rmtree(self.own_directory, ignore_errors=True)


def choose(cluster: Path, user: OsUser) -> Address:
    """In the cluster's folder; where a socket cannot be bound there, in a short temporary one.

    A socket's path has room for about a hundred bytes, and some mounts do not support sockets.
    Without either, a free port on loopback.
    """
    if _can_bind_socket(cluster):
        return Address(str(cluster), _PORT)
    for folder in _short_folders(cluster, user):
        if _can_bind_socket(folder):
            return Address(str(folder), _PORT, own_directory=folder)
        folder.rmdir()
    return Address(_LOOPBACK, _free_port())


def _short_folders(cluster: Path, user: OsUser) -> Iterator[Path]:
    name = f"cartrita-{data_layout.path_hash(cluster)}"
    for root in dict.fromkeys((tempfile.gettempdir(), "/tmp")):  # noqa: S108  # claimed or made below
        if not data_layout.can_enter(Path(root), user):
            continue
        # A stable name, so that the folder of a killed parent is reused; another user may have
        # taken it.
        if data_layout.claim_directory(Path(root) / name, 0o700, owner=user):
            yield Path(root) / name
        else:
            folder = Path(tempfile.mkdtemp(prefix="cartrita-", dir=root))
            user.chown(folder)
            yield folder


def _can_bind_socket(folder: Path) -> bool:
    # As long as the real name, so that the path's length is tested as well.
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

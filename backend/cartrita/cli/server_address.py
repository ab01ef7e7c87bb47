"""The address of the running server, kept in its data directory for other commands."""

from contextlib import suppress
from pathlib import Path

from cartrita.settings import Settings

_FILE = "address"
_LOOPBACK_OF = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104  # compared only


def browser_url(host: str, port: int) -> str:
    """The URL that a browser on this machine can open for a bound host and port."""
    reachable = _LOOPBACK_OF.get(host, host)
    return f"http://{f'[{reachable}]' if ':' in reachable else reachable}:{port}"


def listening_ports(settings: Settings) -> dict[str, int]:
    """The ports to listen on, by the variable that sets each; the server's own is the first."""
    ports = {"CARTRITA_PORT": settings.server.port}
    compat = settings.openai_compat
    if compat.enable and compat.port is not None and compat.port != settings.server.port:
        ports["OPENAI_COMPAT_PORT"] = compat.port
    return ports


def write_address(data_dir: Path, address: str) -> None:
    """Write the address when the server starts."""
    draft = data_dir / f".{_FILE}"
    draft.write_text(address + "\n")
    draft.replace(data_dir / _FILE)


def read_address(data_dir: Path) -> str | None:
    """The address of the running server; None if none runs."""
    with suppress(FileNotFoundError):
        return (data_dir / _FILE).read_text().strip() or None
    return None


def remove_address(data_dir: Path) -> None:
    """Remove the address when the server stops."""
    with suppress(FileNotFoundError):
        (data_dir / _FILE).unlink()

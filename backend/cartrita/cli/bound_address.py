"""Where the running server listens, kept in its data directory for the commands beside it."""

from contextlib import suppress
from pathlib import Path

_FILE = "address"
_WILDCARDS = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104  # compared only


def url(host: str, port: int) -> str:
    """An address that a browser on this machine can open."""
    reachable = _WILDCARDS.get(host, host)
    return f"http://{f'[{reachable}]' if ':' in reachable else reachable}:{port}"


def record(data_dir: Path, address: str) -> None:
    """Note it for as long as the server runs."""
    draft = data_dir / f".{_FILE}"
    draft.write_text(address + "\n")
    draft.replace(data_dir / _FILE)


def recorded(data_dir: Path) -> str | None:
    """What the server noted; None where none runs."""
    with suppress(FileNotFoundError):
        return (data_dir / _FILE).read_text().strip() or None
    return None


def forget(data_dir: Path) -> None:
    """The server has stopped."""
    with suppress(FileNotFoundError):
        (data_dir / _FILE).unlink()

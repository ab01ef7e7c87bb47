"""Official clients that do not get along with ours: each has an environment of its own."""

import subprocess
import sys
from pathlib import Path

_FOLDER = Path(__file__).parent


def client_in(name: str) -> list[str]:
    """The command of the client in a folder, once what its lock names is there, by hash."""
    folder = _FOLDER / name
    environment = folder / ".venv"
    python = environment / "bin" / "python"
    uv = str(Path(sys.executable).with_name("uv"))
    lock = str(folder / "requirements.lock")
    for command in (
        [uv, "venv", "-q", "--allow-existing", str(environment)],
        [uv, "pip", "install", "-q", "--python", str(python), "-r", lock],
    ):
        subprocess.run(command, check=True)
    return [str(python), str(folder / "client.py")]

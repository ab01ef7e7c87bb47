"""The client alone, in a bare environment: it is installed by pip, and needs no backend."""

import subprocess
import sys
from pathlib import Path

import pytest
from tests.client.scenes import ANSWER
from tests.harness.server import KEY, Server

pytestmark = pytest.mark.slow

_ROOT = Path(__file__).parents[2]
_WATCHDOG_S = 300
_PROGRAM = """
import sys
from cartrita_client import CartritaApiClient
with CartritaApiClient(sys.argv[1], sys.argv[2]) as client:
    print("".join(client.stream_chat(message="Hello.").text()))
    with client.live() as session:
        print(session.chat("Hello.").final().final_response)
"""


def run(*command: str | Path) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_WATCHDOG_S)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment that has the client and what it needs."""
    folder = tmp_path_factory.mktemp("bare")
    run(sys.executable, "-m", "venv", folder / "venv")
    made = folder / "venv" / "bin" / "python"
    run(made, "-m", "pip", "install", "-q", _ROOT / "client")
    return made


def test_it_brings_what_it_needs_and_no_backend(python: Path) -> None:
    names = {line.split("==")[0] for line in run(python, "-m", "pip", "freeze").splitlines()}
    assert {"httpx2", "pydantic", "websockets"} <= names
    assert not names & {"cartrita", "httpx", "fastapi", "rich", "msgspec"}


def test_it_streams_from_a_server(python: Path, server: Server) -> None:
    assert run(python, "-c", _PROGRAM, server.base, KEY) == f"{ANSWER}\n{ANSWER}\n"
    module = ("-m", "cartrita_client", "--url", server.base, "--key", KEY)
    assert run(python, *module, "ask", "Hello.") == f"{ANSWER}\n"


def test_its_types_are_for_those_who_import_it(python: Path) -> None:
    place = run(python, "-c", "import cartrita_client; print(cartrita_client.__path__[0])").strip()
    assert (Path(place) / "py.typed").exists()

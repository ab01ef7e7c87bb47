"""`cartrita login` prints the address at which the running server listens."""

import subprocess

import pytest
from tests.harness.command import PROGRAM
from tests.harness.fixtures import Serve
from tests.harness.server import Server


def printed(server: Server, settings: dict[str, str]) -> str:
    done = subprocess.run(
        [PROGRAM, "login"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        cwd=server.root,
        env={**server.environment, **settings},
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_wildcard_address_becomes_loopback(serve: Serve) -> None:
    server = serve(settings={"CARTRITA_HOST": "0.0.0.0"}).server
    here = f"http://127.0.0.1:{server.port}"
    assert f"Cartrita listens on {here}\n" in server.log_path.read_text()
    assert f" {here}/#code=" in printed(server, {})


@pytest.mark.parametrize("port", ["0", "1"])
def test_port_is_the_bound_one(quiet_server: Server, port: str) -> None:
    link = printed(quiet_server, {"CARTRITA_PORT": port})
    assert f" http://127.0.0.1:{quiet_server.port}/#code=" in link

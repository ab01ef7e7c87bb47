"""The image without Docker: its steps are run in a folder, and what they install is served."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.deployment.test_dockerfile import BUILD, FINAL, ROOT, health_check
from tests.harness.server import KEY, free_port

pytestmark = pytest.mark.slow

_WATCHDOG_S = 300


@pytest.fixture(scope="module")
def image() -> Iterator[Path]:
    """A folder in which the first stage was built; its `opt` stands for the image's /opt."""
    with tempfile.TemporaryDirectory(prefix="cartrita-image-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # the server will be another user
        build = folder / "build"
        build.mkdir()
        for step in BUILD.instructions:
            if step.word == "COPY":
                for source in step.rest.split()[:-1]:
                    copy(ROOT / source, build / source)
            elif step.word == "RUN":
                command = step.exec_form or ["sh", "-c", step.rest]
                run([word.replace("/opt/", f"{folder}/opt/") for word in command], build)
        shutil.rmtree(build)
        yield folder


def copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    else:
        shutil.copy(source, target)


def run(command: list[str], folder: Path) -> None:
    """One step; `python` is the one that runs the tests."""
    command = [sys.executable if word == "python" else word for word in command]
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "EMBEDDED": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=_WATCHDOG_S,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_what_it_installs_serves_as_a_user_without_privileges(image: Path) -> None:
    port = free_port()
    environment = environment_of(image, port)
    data = Path(environment["CARTRITA_DATA_DIR"])
    data.mkdir(mode=0o700)
    user = unprivileged(image)
    if user:
        shutil.chown(data, user)
    command = [*(FINAL.last("ENTRYPOINT").exec_form or ()), *(FINAL.last("CMD").exec_form or ())]
    with (image / "server.log").open("wb") as log:
        server = subprocess.Popen(
            command,
            env=environment,
            cwd=data,
            user=user,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            executable=str(image / "opt/cartrita/bin/cartrita"),
        )
    try:
        wait_ready(server, port, image / "server.log")
        check = subprocess.run(
            health_check(), env=environment, capture_output=True, check=False, timeout=60
        )
        assert check.returncode == 0, check.stderr
        assert b"offline assistant" in chat(port)
        server.send_signal(signal.SIGTERM)
        assert server.wait(_WATCHDOG_S) == 0
    finally:
        server.kill()
        server.wait()


def unprivileged(image: Path) -> str | None:
    """Somebody else to run it as, where we are root and others may run the Python of the tests."""
    command = [str(image / "opt/cartrita/bin/python"), "-c", ""]
    try:
        done = subprocess.run(command, user="nobody", cwd=image, check=False, timeout=60)
    except PermissionError:
        return None
    return "nobody" if done.returncode == 0 else None


def environment_of(image: Path, port: int) -> dict[str, str]:
    """The image's own, with a port and folders of this machine."""
    given = dict(pair.split("=", 1) for one in FINAL.all("ENV") for pair in one.rest.split())
    return {
        **given,
        "PATH": f"{image}/opt/cartrita/bin:/usr/bin:/bin",
        "HOME": f"{image}/data",
        "CARTRITA_HOST": "127.0.0.1",
        "CARTRITA_PORT": str(port),
        "CARTRITA_DATA_DIR": f"{image}/data",
        "CARTRITA_DISCOVER_LOCAL": "0",
        "CARTRITA_BOOTSTRAP_KEY": KEY,
    }


def wait_ready(server: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    deadline = time.monotonic() + _WATCHDOG_S
    while True:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/ready", timeout=5).close()
        except OSError:
            assert server.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
        else:
            return


def chat(port: int) -> bytes:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/api/chat",
        data=b'{"message": "Hello from an image."}',
        headers={"X-API-Key": KEY, "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        return answer.read()

"""The server of S3 has an environment of its own; where that is not made, nothing is collected."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.harness.fake_provider.launch import FakeProvider
from tests.harness.fixtures import provider as provider
from tests.harness.raw_http import HOST
from tests.harness.scenario import Scenario
from tests.harness.server import Server, free_port
from tests.s3.bucket import SECRET, wait_for_bucket

_MOTO = Path(__file__).parent / ".venv/bin/moto_server"
collect_ignore_glob = [] if _MOTO.exists() else ["test_*.py"]


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """moto's server, with one bucket."""
    port = free_port()
    command = [str(_MOTO), "--host", HOST, "--port", str(port)]
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, stdout=quiet, stderr=quiet) as running:
        url = f"http://{HOST}:{port}"
        try:
            wait_for_bucket(url)
            yield url
        finally:
            running.kill()


@pytest.fixture(scope="module")
def server(endpoint: str, provider: FakeProvider) -> Iterator[Server]:
    """Two workers that keep files in the bucket."""
    settings = {
        "CARTRITA_FILES_STORAGE": "s3://files/of/cartrita",
        "CARTRITA_FILES_S3_ENDPOINT": endpoint,
        "CARTRITA_FILES_S3_ACCESS_KEY_ID": "id",
        "CARTRITA_FILES_S3_SECRET_ACCESS_KEY": SECRET,
    }
    with Server(provider_url=provider.base_url, workers=2, settings=settings) as running:
        yield running


@pytest.fixture
def scenario(server: Server, provider: FakeProvider) -> Scenario:
    """A scenario on that server."""
    return Scenario(server, provider)

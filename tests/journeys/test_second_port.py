"""OPENAI_COMPAT_PORT is one more port with the same application behind it."""

from pathlib import Path

from tests.harness import raw_http
from tests.harness.fake_provider.launch import FakeProvider
from tests.harness.fixtures import Serve
from tests.harness.server import Server, free_port
from tests.journeys.test_start_errors import refusal


async def test_both_ports_answer(serve: Serve) -> None:
    second = free_port()
    scenario = serve(settings={"OPENAI_COMPAT_PORT": str(second)})
    for port in (scenario.server.port, second):
        async with await raw_http.request(port, "GET", "/health") as answer:
            assert answer.status == 200
            await answer.body()


def test_a_second_port_in_use(quiet_server: Server, provider: FakeProvider) -> None:
    server = Server(provider_url=provider.base_url)
    settings = {"OPENAI_COMPAT_PORT": str(quiet_server.port)}
    line = refusal(server, code=1, settings=settings)
    assert "OPENAI_COMPAT_PORT" in line
    assert not Path(server.data_dir, "postgres").exists()

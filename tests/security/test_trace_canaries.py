"""Planted secrets show in no trace: not those of the server, nor those that calls bring."""

import asyncio
import base64
from typing import Any

from tests.harness.fake_provider.script import Script
from tests.harness.langfuse_sink import langfuse_sink
from tests.harness.server import NOBODY
from tests.journeys.v1 import post
from tests.security.canaries import Canaries

CHAT = "/v1/chat/completions"


async def test_no_secret_is_in_any_trace(serve: Any) -> None:
    canaries = Canaries()
    plant = canaries.plant
    with langfuse_sink(secret_key=plant("LANGFUSE_SECRET_KEY")) as sink:
        settings = {
            **sink.settings,
            "ANTHROPIC_API_KEY": plant("ANTHROPIC_API_KEY"),
            "TAVILY_API_KEY": plant("TAVILY_API_KEY"),
            "CARTRITA_SECRET": plant("CARTRITA_SECRET"),
            "ANTHROPIC_BASE_URL": NOBODY,
        }
        scenario = serve(settings=settings)
        told = " ".join(settings[name] for name in ("ANTHROPIC_API_KEY", "TAVILY_API_KEY"))
        told += " " + base64.b64encode(f"x:{settings['CARTRITA_SECRET']}".encode()).decode()
        told += f" {settings['CARTRITA_SECRET'].encode().hex()}"
        told += f" Bearer {plant('a header in a message')}"
        told += f" https://x.example/?signature={plant('a query in a message')}"
        message = f"{told} {scenario.message(Script(echo=True))}"
        headers = {
            "Cookie": f"a={plant('a cookie')}",
            "X_Secret_Header": plant("a header"),
        }
        body = {"message": message, "provider": "openai", "model": "fake"}
        status, answer = await scenario.call("POST", "/api/chat", body, **headers)
        assert status == 200, answer
        relayed = {"model": "openai/fake", "messages": [{"role": "user", "content": message}]}
        for stream in (True, False):
            status, _, answered = await post(
                scenario, CHAT, {**relayed, "stream": stream}, **headers
            )
            assert status == 200, answered
        unknown = {**relayed, "model": "anthropic/fake"}
        status, _, answered = await post(scenario, CHAT, unknown, **headers)
        assert status >= 400, answered
        assert await asyncio.to_thread(scenario.server.stop) == 0
    assert len(sink.roots()) == 4
    sent = b"".join(sink.bodies).decode("utf-8", "replace")
    assert "x.example" in sent, "the rest of the message is told"
    assert canaries.found(sent) == []
    assert canaries.found(scenario.server.log_tail(1 << 20)) == []

"""Behind a proxy: its word for the scheme is believed where it is configured, nobody else's."""

import json
from typing import Any

import pytest
from tests.harness import wire
from tests.harness.server import KEY
from tests.harness.story import Story

SAID = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.7"}


async def sign_in(story: Story, origin_scheme: str) -> tuple[int, str]:
    """From the page that the proxy serves, through the proxy; the status and the cookie."""
    host = f"{wire.HOST}:{story.server.port}"
    headers = {
        **SAID,
        "Host": host,
        "Origin": f"{origin_scheme}://{host}",
        "Content-Type": "application/json",
        "X-API-Key": KEY,
    }
    body = json.dumps({}).encode()
    async with await wire.ask(story.server.port, "POST", "/api/session", headers, body) as answer:
        await answer.body()
        return answer.status, answer.headers.get("set-cookie", "")


@pytest.mark.parametrize(
    ("trusted", "scheme"), [("127.0.0.0/8", "https"), ("10.0.0.0/8", "http"), ("", "http")]
)
async def test_the_scheme_is_what_a_trusted_proxy_says(
    serve: Any, trusted: str, scheme: str
) -> None:
    story: Story = serve(settings={"CARTRITA_TRUSTED_PROXIES": trusted})
    status, cookie = await sign_in(story, scheme)
    assert status == 200
    assert ("secure" in cookie.lower()) == (scheme == "https")
    other = {"http": "https", "https": "http"}[scheme]
    assert await sign_in(story, other) == (403, "")

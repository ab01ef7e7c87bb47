"""The smallest request is one that the dialect itself can read."""

import msgspec
import pytest

from cartrita.dialects.anthropic_messages.probes import render_probe
from cartrita.dialects.anthropic_messages.request_parsing import parse


@pytest.mark.parametrize("stream", [False, True])
def test_the_smallest_request(stream: bool) -> None:
    body = msgspec.json.decode(render_probe("m", "Say OK.", stream=stream))
    read = parse(body, "owner")
    assert (read.request.model, body["stream"]) == ("m", stream)
    assert [message.text for message in read.request.messages] == ["Say OK."]
    assert read.request.vendor is None

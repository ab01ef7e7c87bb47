"""What the client sends: the right key or none, ids that last, addresses that are its own."""

from typing import Any

import pytest
from tests.typescript.package import Programs

pytestmark = pytest.mark.slow


def asked(programs: Programs, what: str, **given: Any) -> dict[str, Any]:
    [fact] = programs.run("requests", what=what, **given)
    return fact


@pytest.mark.parametrize("what", ["chat", "stream", "live", "counted"])
def test_a_page_that_came_over_plain_http_can_do_all_of_it(what: str, programs: Programs) -> None:
    fact = asked(programs, what, plain=True)
    assert fact["error"]["code"] == "validation_error"
    assert fact["sent"]


def test_one_idempotency_key_makes_one_answer_of_two_streams(programs: Programs) -> None:
    first, second = asked(programs, "order", times=2)["sent"]
    assert first == second
    assert first["idempotencyKey"] == "order-1"


def test_an_idempotency_key_goes_along_over_a_socket(programs: Programs) -> None:
    [sent] = asked(programs, "order", socket=True)["sent"]
    assert sent["frame"]["client_msg_id"] == "order-1"


def test_without_one_each_stream_is_a_message_of_its_own(programs: Programs) -> None:
    sent = asked(programs, "stream", times=2)["sent"]
    assert len({each["body"]["client_msg_id"] for each in sent}) == 2


@pytest.mark.parametrize(
    ("keys", "what", "key"),
    [
        ({"openai": "of-openai"}, "search", None),
        ({"openai": "of-openai"}, "speech", None),
        ({"openai": "of-openai"}, "named", None),
        ({"openai": "of-openai"}, "stream", "of-openai"),
        ({"anthropic": "of-anthropic"}, "stream", "of-anthropic"),
        ({"anthropic": "of-anthropic"}, "named", "of-anthropic"),
        ({"tavily": "of-tavily"}, "search", "of-tavily"),
        ({"tavily": "of-tavily"}, "me", "of-tavily"),
        ({"tavily": "of-tavily", "openai": "of-openai"}, "me", "of-openai"),
    ],
)
def test_a_provider_s_key_goes_to_nobody_else(
    keys: dict[str, str], what: str, key: str | None, programs: Programs
) -> None:
    [sent] = asked(programs, what, options={"providerKeys": keys})["sent"]
    assert sent["key"] == key


def test_a_task_that_may_have_been_done_is_sent_again_as_the_same(programs: Programs) -> None:
    fact = asked(programs, "task", options={"transports": ["sse", "websocket", "polling"]})
    assert fact["error"]["name"] == "UnreachableError"
    assert len(fact["sent"]) > 1
    [key] = {each["idempotencyKey"] for each in fact["sent"]}
    assert key


@pytest.mark.parametrize("id_", ["", ".", ".."])
@pytest.mark.parametrize("what", ["message", "file", "run"])
def test_an_id_chooses_no_other_address(what: str, id_: str, programs: Programs) -> None:
    fact = asked(programs, what, id=id_)
    assert fact["sent"] == []
    assert fact["error"]["name"] == "UnusableAddressError"


def test_an_id_stays_one_segment(programs: Programs) -> None:
    [sent] = asked(programs, "file", id="a/../b?c")["sent"]
    assert sent["url"].endswith("/api/files/a%2F..%2Fb%3Fc")

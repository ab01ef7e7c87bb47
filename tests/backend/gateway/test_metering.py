"""Usage that is not reported is estimated, that of a large request by its size."""

import pytest

from cartrita.domain.messages import Message, Role, Text
from cartrita.domain.requests import ModelRequest
from cartrita.domain.token_estimates import RULE_ERROR, SIZE_ERROR
from cartrita.domain.usage import Usage
from cartrita.gateway.calls import Call
from cartrita.gateway.metering import Meter, MeteredCall
from cartrita.gateway.routes import Deployment
from cartrita.kit.long_work import LARGE

HELLO = Message(Role.USER, (Text("Hello you"),))


class ReadRequest:
    """A request that counts how often it is read."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> ModelRequest:
        self.times += 1
        return ModelRequest(owner_id="o", model="m", messages=(HELLO,))


def metered(read: ReadRequest, size: int) -> MeteredCall:
    call = Call(owner_id="o", surface="s", name="m", parse=read, size=size)
    return Meter().start(call, Deployment("p", "m"))


@pytest.mark.parametrize(
    ("size", "times", "tokens", "bound"),
    [(0, 1, 6, RULE_ERROR), (LARGE - 1, 1, 6, RULE_ERROR), (LARGE, 0, LARGE // 4, SIZE_ERROR)],
)
def test_a_large_relayed_request_is_not_read_to_be_counted(
    size: int, times: int, tokens: int, bound: float
) -> None:
    read = ReadRequest()
    usage = metered(read, size).complete_relayed(Usage(), "Hello")
    assert usage == Usage(tokens, 2, estimated=True, error_bound=bound)
    assert read.times == times


@pytest.mark.parametrize("size", [0, LARGE])
def test_what_was_reported_is_not_counted(size: int) -> None:
    read = ReadRequest()
    assert metered(read, size).complete_relayed(Usage(3, 2), "Hello") == Usage(3, 2)
    assert read.times == 0


def test_a_request_that_was_translated_is_counted_whatever_its_size() -> None:
    read = ReadRequest()
    usage = metered(read, LARGE).complete(Usage(), read, "Hello")
    assert usage == Usage(6, 2, estimated=True, error_bound=RULE_ERROR)

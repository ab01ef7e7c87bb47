"""What falls silent is given up, whichever way it was asked; what lives is not."""

from collections.abc import Iterator

import pytest
from tests.typescript.package import Programs
from tests.typescript.proxies import Network, network
from tests.typescript.strangers import silence, stranger, value
from tests.typescript.test_bad_input import failed

pytestmark = pytest.mark.slow

_RUN = {"id": "run_1", "status": "completed", "approvals": []}
_POLLING = {"transports": ["polling"], "patience": {"stall": 100, "run": 300}}


@pytest.fixture
def net() -> Iterator[Network]:
    with network() as made:
        yield made


def test_a_run_with_heartbeats_is_not_given_up(programs: Programs) -> None:
    [fact] = programs.run("patience")
    assert fact == {"connections": 7, "value": "Here."}


@pytest.mark.parametrize("what", ["stream", "run"])
def test_a_question_without_an_answer(what: str, programs: Programs, net: Network) -> None:
    error = failed(programs, stranger(net, silence).base, what, options=_POLLING)
    assert error["name"] == "TimedOutError"


def test_events_that_do_not_come_after_a_run_has_ended(programs: Programs, net: Network) -> None:
    other = stranger(net, value(_RUN), silence)
    error = failed(programs, other.base, "run", options=_POLLING)
    assert error["name"] == "TimedOutError"


@pytest.mark.parametrize("what", ["upload", "counted"])
def test_a_file_that_nobody_takes(what: str, programs: Programs, net: Network) -> None:
    options = {"timeout": 100, "patience": {"stall": 100}}
    error = failed(programs, stranger(net, silence).base, what, options=options)
    assert error["name"] == "TimedOutError"

"""The line about a call: whose id it has, and that it takes nothing with it."""

from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from structlog.testing import capture_logs
from tests.backend.gateway.fakes import call

from cartrita.domain.deltas import FinishReason
from cartrita.domain.errors import UpstreamLimited
from cartrita.domain.ledger import CallOutcome
from cartrita.domain.usage import Usage
from cartrita.gateway.call_log import AnswerTold, log_call
from cartrita.gateway.metering import Meter, MeteredCall
from cartrita.gateway.routes import Deployment

Keys = Callable[[], Mapping[str, int | str | None]]


class Leg:
    """One that was answered, with this id."""

    def __init__(self, message_id: str | None = None) -> None:
        self.outcome = CallOutcome.COMPLETED
        self._message_id = message_id

    def usage(self) -> Usage:
        return Usage(3, 5)

    def told(self) -> AnswerTold:
        return AnswerTold(self._message_id, FinishReason.STOP, {"text": 1})


def written(
    leg: Leg, keys: Keys, *, continues: bool = False, error: Exception | None = None
) -> dict[str, Any]:
    asked = call("p/m", owner_id="ann@example.com", log_keys=keys)
    metered = MeteredCall(Meter(), asked, Deployment("p", "m"), 0.0, continues=continues)
    with capture_logs() as lines:
        log_call(metered, leg, leg.usage(), error)
    (line,) = lines
    return dict(line)


def ours() -> Mapping[str, int | str | None]:
    return {"max_tokens": 7, "messages": 2, "tools": 0, "message_id": "ours"}


def test_the_id_is_that_of_who_wrote_the_answer() -> None:
    assert written(Leg("theirs"), ours)["message_id"] == "theirs"
    assert written(Leg(), ours)["message_id"] == "ours"
    assert written(Leg(), ours, continues=True)["message_id"] is None


def test_nobody_is_named() -> None:
    line = written(Leg(), ours)
    assert "ann" not in str(line)
    assert len(line["owner"]) == 12
    assert (line["max_tokens"], line["messages"], line["parts"]) == (7, 2, {"text": 1})
    assert (line["input_tokens"], line["output_tokens"]) == (3, 5)


def test_an_error_is_told_by_its_code() -> None:
    error = UpstreamLimited("Slow down, ann.", provider="p")
    line = written(Leg(), ours, error=error)
    assert line["code"] == error.code
    assert "Slow down" not in str(line)


def test_a_line_that_cannot_be_written_takes_nothing_with_it() -> None:
    def broken() -> NoReturn:
        raise ValueError("there is nothing to count")

    assert written(Leg(), broken)["event"] == "call_not_logged"

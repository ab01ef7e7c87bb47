"""A checker reads what is new of the calls of a model, and those that had not ended."""

from typing import Any

from tests.harness.fake_provider.request_log import RequestLog
from tests.harness.incremental_checker import IncrementalChecker


class Provider:
    """One whose log is looked at."""

    def __init__(self) -> None:
        self.log = RequestLog(keep=100)
        self.read = list[list[int]]()

    def requests(self, since: int) -> Any:
        found = self.log.since(since)
        self.read.append([exchange.number for exchange in found])
        return found


def test_what_has_ended_is_read_once() -> None:
    provider: Any = Provider()
    server: Any = None
    checker = IncrementalChecker(server, provider, {})
    begun = [provider.log.begin("POST", "/v1/chat/completions", [], b"{}") for _ in range(3)]
    for exchange in begun[::2]:
        provider.log.end(exchange, "complete")
    checker._read_calls()
    provider.log.end(begun[1], "cut")
    provider.log.begin("GET", "/v1/models", [], b"")
    checker._read_calls()
    checker._read_calls()
    assert provider.read == [[0, 1, 2], [1, 2, 3], [3]]
    assert [call.outcome for call in checker._calls.values()] == ["complete", "cut", "complete"]

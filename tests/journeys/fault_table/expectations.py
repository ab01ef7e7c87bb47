"""What is expected of an answer that met a fault, and whether a response is that."""

from typing import TypeAlias

import msgspec
from tests.journeys.fault_table.clients import Surface
from tests.journeys.fault_table.reception import Received


class Whole(msgspec.Struct, frozen=True):
    """A complete answer with the expected text, or with `text`, and with so many tool calls."""

    text: str | None = None
    tools: int = 0

    def says(self, surface: Surface) -> str:
        return "answer"

    def problem(self, got: Received, surface: Surface, text: str, *, streamed: bool) -> str:
        """What is not as expected, empty where all is."""
        if got.end != "answer":
            return f"{got.end} {got.code} {got.why}"
        wanted = text if self.text is None else self.text
        if got.text != wanted:
            return f"the text is {got.text!r}, not {wanted!r}"
        return "" if got.tools == self.tools else f"{got.tools} tool calls"


class Failure(msgspec.Struct, frozen=True):
    """An error response; where a stream has begun before, its error event.

    Each is a status and a code as `Received` has them. `retry_after` is expected in the header.
    """

    openai: tuple[int, str]
    anthropic: tuple[int, str]
    native: tuple[int, str]
    retry_after: str = ""

    def says(self, surface: Surface) -> str:
        return str(self._of(surface)[0])

    def problem(self, got: Received, surface: Surface, text: str, *, streamed: bool) -> str:
        """What is not as expected, empty where all is."""
        status, code = self._of(surface)
        if streamed and surface.begins_at_once:
            wanted, end = (200, code), "error event"
        else:
            wanted, end = (status, code), "refused"
        if (got.end, got.status, got.code) != (end, *wanted):
            return f"{got.end} {got.status} {got.code}, not {end} {wanted} ({got.why})"
        if end == "refused" and self.retry_after and got.retry_after != self.retry_after:
            return f"Retry-After is {got.retry_after!r}"
        return ""

    def _of(self, surface: Surface) -> tuple[int, str]:
        return getattr(self, surface.family)


class Broken(msgspec.Struct, frozen=True):
    """A stream whose text is the beginning of the expected one, and whose end is an error event."""

    failure: Failure

    def says(self, surface: Surface) -> str:
        return "error event"

    def problem(self, got: Received, surface: Surface, text: str, *, streamed: bool) -> str:
        """What is not as expected, empty where all is."""
        code = getattr(self.failure, surface.family)[1]
        if (got.end, got.code) != ("error event", code):
            return f"{got.end} {got.code}, not an error event with {code} ({got.why})"
        return "" if text.startswith(got.text) else f"the text is {got.text!r}"


class Either(msgspec.Struct, frozen=True):
    """One of several, where the fault may meet the answer before or after its first words."""

    ways: "tuple[Expected, ...]"

    def says(self, surface: Surface) -> str:
        return "/".join(dict.fromkeys(way.says(surface) for way in self.ways))

    def problem(self, got: Received, surface: Surface, text: str, *, streamed: bool) -> str:
        """What is not as expected, empty where all is."""
        problems = [way.problem(got, surface, text, streamed=streamed) for way in self.ways]
        return "" if "" in problems else " | ".join(problems)


class Senseless(msgspec.Struct, frozen=True):
    """The fault cannot meet such an answer; `reason` says why."""

    reason: str

    def says(self, surface: Surface) -> str:
        return "-"


Expected: TypeAlias = Whole | Failure | Broken | Either


def _upstream(code: str, status: int = 502) -> Failure:
    return Failure((status, f"server_error/{code}"), (status, "api_error"), (status, code))


ANSWER = Whole()
UNREACHABLE = _upstream("upstream_unreachable")
CUT = _upstream("upstream_cut")
MALFORMED = _upstream("upstream_malformed")
WRONG_ADDRESS = _upstream("upstream_wrong_address")
FAILED = _upstream("upstream_overloaded")
OVERLOADED = msgspec.structs.replace(FAILED, anthropic=(529, "overloaded_error"))
QUOTA = Failure(
    (402, "insufficient_quota/insufficient_quota"),
    (402, "billing_error"),
    (502, "upstream_quota"),
)
LIMITED = Failure(
    (429, "rate_limit_exceeded/rate_limit_exceeded"),
    (429, "rate_limit_error"),
    (429, "upstream_rate_limited"),
)

"""The rows of the table: faults 1 to 16, how each is provoked, and what is expected then."""

from typing import Literal, TypeAlias

import msgspec
from tests.harness.fake_provider.faults import Fault
from tests.harness.fake_provider.malformed_output import (
    ErrorEvent,
    HugeLine,
    InvalidText,
    Junk,
    Lines,
    Trickle,
)
from tests.harness.fake_provider.replaced_responses import Gzip, Html, Redirect, ReplacedResponse
from tests.harness.fake_provider.script import Script, ToolCall
from tests.harness.fake_provider.timing_faults import CutOff, HangBeforeHeaders, NoDone, Stall
from tests.journeys.fault_table.clients import Mode, Surface
from tests.journeys.fault_table.expectations import (
    ANSWER,
    CUT,
    FAILED,
    LIMITED,
    MALFORMED,
    OVERLOADED,
    QUOTA,
    UNREACHABLE,
    WRONG_ADDRESS,
    Broken,
    Either,
    Expected,
    Failure,
    Senseless,
    Whole,
)

TEXT = "Tea in Tōkyō 東京 is green, said señor Über; the kettle 🙂 sings, and the river runs."
"""What the model would say: some twenty tokens, of characters of one to four bytes."""
REDIRECT_TARGET = "http://127.0.0.1:1/listener"
"""Stands in scripts for the address of the listener, which is known at run time only."""

InvalidCharacters: TypeAlias = Literal["nul", "surrogate", "split_pair", "invalid_utf8"]
Place: TypeAlias = Literal["one", "refused", "unknown host", "route", "refused, then another"]
"""Where a case is sent.

One deployment; one whose port is closed; one whose name is not known; a route of two deployments;
a route whose first one's port is closed.
"""


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """One way of a row.

    The calls upstream meet `scripts` in order, and the last one from then on. `whole` and
    `relayed_whole` replace `expected` where the answer is not streamed, and where it is one
    document upstream as well; `stored` where a run answers. `calls` is how many of them there must
    be; `retried` is the same for answers that are nobody's before they are whole, `stored_calls`
    where a run answers. `by` is the deployment of the route that must have answered, from 0,
    `failed` that the first one must be named as failed. `before` are the requests that come first.
    `only` are the dialects of upstreams that have such a fault.
    """

    row: int
    name: str
    scripts: tuple[Script, ...] = (Script(text=TEXT),)
    expected: Expected = ANSWER
    whole: Expected | None = None
    relayed_whole: Expected | Senseless | None = None
    stored: Expected | None = None
    calls: int | None = None
    retried: int | None = None
    stored_calls: int | None = None
    place: Place = "one"
    by: int | None = None
    failed: bool = False
    before: int = 0
    model: str = "fake"
    only: tuple[str, ...] = ()
    heavy: bool = False

    def expectation(self, surface: Surface, mode: Mode, dialect: str) -> Expected | Senseless:
        """What is expected of this surface, where the upstream speaks this dialect."""
        if self.only and dialect not in self.only:
            return Senseless("such an upstream has no such error")
        if surface.stores and self.stored is not None:
            return self.stored
        if mode == "stream":
            return self.expected
        if surface.relays(dialect) and self.relayed_whole is not None:
            return self.relayed_whole
        return self.whole or self.expected

    def expected_calls(self, surface: Surface, mode: Mode, dialect: str) -> int | None:
        """How many calls upstream there must be; None where it does not matter."""
        if mode == "whole" and surface.relays(dialect) and self.relayed_whole is not None:
            return None
        if mode == "whole" and self.retried is not None and not surface.stores:
            return self.retried
        if surface.stores and self.stored_calls is not None:
            return self.stored_calls
        return self.calls


def steadily(*scripts: Script) -> tuple[Script, ...]:
    """The same, each token in a packet of its own."""
    return tuple(msgspec.structs.replace(each, between_tokens_s=0.02) for each in scripts)


def once(*faults: Fault) -> tuple[Script, ...]:
    """The first call meets the faults, the second one none."""
    return Script(text=TEXT, faults=faults), Script(text=TEXT)


def always(*faults: Fault) -> tuple[Script, ...]:
    """Every call meets the faults."""
    return (Script(text=TEXT, faults=faults),)


def answered(status: int, code: str | None = None, **headers: str) -> ReplacedResponse:
    """A response of this status in place of the answer."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return ReplacedResponse(status=status, headers=named, code=code)


def limited(retry_after: str, failure: Failure = LIMITED) -> Failure:
    """The error with this Retry-After."""
    return msgspec.structs.replace(failure, retry_after=retry_after)


def one_of(*inserted: str) -> Either:
    """The answer with one of these texts in it, after its second token."""
    begun = "Tea in"
    return Either(tuple(Whole(TEXT.replace(begun, begun + each, 1)) for each in inserted))


_INVALID_TEXTS: dict[InvalidCharacters, tuple[str, ...]] = {
    "nul": ("", "\0", "\ufffd"),
    "surrogate": ("\ufffd",),
    "split_pair": ("🙂",),
    "invalid_utf8": ("\ufffd\ufffd",),
}
"""How the characters are read in the end: relays pass on escapes as they are."""
CALLS = Whole("", tools=1)
"""What a call says is its caller's to judge, who runs the tool; a run judges it itself."""

_HALF_CALL = Script(tool_calls=(ToolCall(name="f", arguments='{"city": "Par'),))
_CUT_CALL = Script(
    tool_calls=(ToolCall(name="f", arguments={"city": "Paris", "days": [1, 2, 3]}),),
    faults=(CutOff(after_tokens=2),),
)
_CALL = Script(tool_calls=(ToolCall(name="f", arguments={"city": "Paris", "days": [1, 2, 3]}),))
_NO_CREDIT = (
    '{"type":"error","error":{"type":"invalid_request_error","message":'
    '"Your credit balance is too low to access the Anthropic API."}}'
)
_EARLIER = "documents have no events: what stands for one is the whole of it"

CASES = (
    Case(row=1, name="refuses connections", place="refused", expected=UNREACHABLE, calls=0),
    Case(row=1, name="name is not known", place="unknown host", expected=UNREACHABLE, calls=0),
    Case(row=1, name="refuses, another deployment", place="refused, then another", calls=1, by=1),
    Case(row=2, name="429, Retry-After: 1", scripts=once(answered(429, retry_after="1")), calls=2),
    Case(
        row=2,
        name="429, Retry-After beyond the deadline",
        scripts=once(answered(429, retry_after="3600")),
        expected=limited("3600"),
        calls=1,
    ),
    Case(row=2, name="429 always", scripts=always(answered(429)), expected=LIMITED, calls=3),
    Case(
        row=3,
        name="429, spend limit",
        scripts=always(answered(429, code="insufficient_quota")),
        expected=QUOTA,
        calls=1,
        only=("openai_chat", "openai_responses"),
    ),
    Case(
        row=3,
        name="400, no credit",
        scripts=always(ReplacedResponse(status=400, body=_NO_CREDIT)),
        expected=QUOTA,
        calls=1,
        only=("anthropic_messages",),
    ),
    Case(row=3, name="402", scripts=always(answered(402)), expected=QUOTA, calls=1),
    Case(
        row=3,
        name="402, another deployment",
        scripts=once(answered(402)),
        place="route",
        by=1,
        calls=2,
    ),
    Case(
        row=3,
        name="402, then left out",
        scripts=once(answered(402)),
        place="route",
        before=1,
        by=1,
        calls=1,
    ),
    Case(row=4, name="500 once", scripts=once(answered(500)), calls=2),
    Case(row=4, name="500 always", scripts=always(answered(500)), expected=FAILED, calls=3),
    Case(row=4, name="502 once", scripts=once(answered(502)), calls=2),
    Case(row=4, name="503 always", scripts=always(answered(503)), expected=OVERLOADED, calls=3),
    Case(row=4, name="408 once", scripts=once(answered(408)), calls=2),
    Case(row=4, name="409 once", scripts=once(answered(409)), calls=2),
    Case(
        row=4,
        name="500, X-Should-Retry: false",
        scripts=once(answered(500, x_should_retry="false")),
        expected=FAILED,
        calls=1,
    ),
    Case(
        row=4,
        name="400, X-Should-Retry: true",
        scripts=once(answered(400, x_should_retry="true")),
        calls=2,
    ),
    Case(
        row=4,
        name="five failures in a row, then left out",
        scripts=once(answered(500)),
        place="route",
        before=5,
        by=1,
        calls=1,
    ),
    Case(row=4, name="five failures in a row, the only one", before=5, calls=1, model="alone"),
    Case(
        row=5,
        name="529, another provider",
        scripts=once(answered(529)),
        place="route",
        by=1,
        calls=2,
    ),
    Case(row=5, name="529 always", scripts=always(answered(529)), expected=OVERLOADED, calls=3),
    *(
        Case(
            row=6,
            name=f"429, Retry-After: {value}",
            scripts=once(answered(429, retry_after=value)),
            calls=2,
        )
        for value in ("-5", "soon", "1e999", "Thu, 01 Jan 1970 00:00:00 GMT", "0")
    ),
    Case(
        row=6,
        name="429, Retry-After: 86400",
        scripts=once(answered(429, retry_after="86400")),
        expected=limited("86400"),
        calls=1,
    ),
    Case(
        row=6,
        name="503, Retry-After: 86400",
        scripts=once(answered(503, retry_after="86400")),
        expected=OVERLOADED,
        calls=1,
    ),
    Case(row=7, name="no headers, once", scripts=once(HangBeforeHeaders()), calls=2),
    Case(
        row=7,
        name="no headers, always",
        scripts=always(HangBeforeHeaders()),
        expected=UNREACHABLE,
        calls=3,
    ),
    Case(
        row=7,
        name="no headers, another deployment",
        scripts=once(HangBeforeHeaders()),
        place="route",
        by=1,
        calls=2,
    ),
    Case(row=8, name="200 and no byte, once", scripts=once(Stall()), calls=2),
    Case(row=8, name="200 and no byte, always", scripts=always(Stall()), expected=CUT, calls=3),
    Case(row=9, name="stalls after 5 tokens, once", scripts=once(Stall(after_tokens=5)), calls=2),
    Case(
        row=9,
        name="stalls after 2 tokens, always",
        scripts=always(Stall(after_tokens=2)),
        expected=Broken(CUT),
        whole=CUT,
        calls=4,
        retried=3,
    ),
    Case(
        row=9,
        name="stalls, continued by another",
        scripts=once(Stall(after_tokens=5)),
        place="route",
        failed=True,
        calls=2,
    ),
    Case(row=10, name="reset after 5 tokens", scripts=once(CutOff(after_tokens=5)), calls=2),
    Case(
        row=10,
        name="closed after 5 tokens",
        scripts=once(CutOff(how="fin", after_tokens=5)),
        calls=2,
    ),
    Case(
        row=10,
        name="reset after 2 tokens, always",
        scripts=always(CutOff(after_tokens=2)),
        expected=Broken(CUT),
        whole=CUT,
        calls=4,
        retried=3,
    ),
    Case(row=10, name="reset before the headers", scripts=once(CutOff()), calls=2),
    *(
        Case(
            row=10,
            name=f"reset after {size} bytes",
            scripts=once(CutOff(after_bytes=size)),
            calls=2,
        )
        for size in (1, 350)
    ),
    Case(
        row=10,
        name="reset within a character",
        scripts=once(CutOff(after_bytes=1501)),
    ),
    Case(
        row=11,
        name="ends after 5 tokens",
        scripts=once(CutOff(how="end", after_tokens=5)),
        calls=2,
    ),
    Case(
        row=11,
        name="ends after 2 tokens, always",
        scripts=always(CutOff(how="end", after_tokens=2)),
        expected=Broken(CUT),
        whole=CUT,
        relayed_whole=MALFORMED,
        calls=4,
        retried=3,
    ),
    Case(row=11, name="no terminal marker", scripts=once(NoDone())),
    Case(row=12, name="error event first", scripts=once(ErrorEvent()), calls=2),
    Case(
        row=12,
        name="error event first, always",
        scripts=always(ErrorEvent()),
        expected=FAILED,
        calls=3,
    ),
    Case(
        row=12,
        name="error event first, another deployment",
        scripts=once(ErrorEvent()),
        place="route",
        by=1,
        calls=2,
    ),
    Case(
        row=12,
        name="error event after 5 tokens",
        scripts=steadily(*once(ErrorEvent(after_tokens=5))),
        calls=2,
    ),
    Case(
        row=12,
        name="error event after 2 tokens, always",
        scripts=steadily(*always(ErrorEvent(after_tokens=2))),
        expected=Broken(FAILED),
        whole=FAILED,
    ),
    Case(row=13, name="lines end with CR", scripts=always(Lines(end="cr")), calls=1),
    Case(row=13, name="lines end with CR LF", scripts=always(Lines(end="crlf")), calls=1),
    Case(
        row=13,
        name="byte order mark",
        scripts=always(Lines(bom=True)),
        calls=1,
        relayed_whole=Senseless(_EARLIER),
    ),
    Case(
        row=13,
        name="no blank lines",
        scripts=always(Lines(blank=False)),
        expected=Either((CUT, MALFORMED)),
        relayed_whole=ANSWER,
        calls=3,
        retried=3,
    ),
    Case(row=13, name="split at every byte", scripts=always(Trickle()), calls=1, heavy=True),
    Case(
        row=13,
        name="split at every byte, CR LF",
        scripts=always(Lines(end="crlf", bom=True), Trickle()),
        relayed_whole=Senseless(_EARLIER),
        calls=1,
        heavy=True,
    ),
    Case(
        row=13,
        name="a line of 10 MB",
        scripts=always(HugeLine(size=10 << 20)),
        expected=MALFORMED,
        relayed_whole=Senseless("documents have no lines; the body's own bound is below"),
        heavy=True,
    ),
    Case(
        row=13,
        name="a body of 20 MB",
        scripts=always(HugeLine(size=20 << 20)),
        expected=MALFORMED,
        heavy=True,
    ),
    *(
        Case(
            row=14,
            name=f"{what}, always",
            scripts=steadily(*always(Junk(what=what, after_tokens=2))),
            expected=Broken(MALFORMED),
            whole=MALFORMED,
        )
        for what in ("invalid_json", "unbalanced_json", "not_an_object")
    ),
    *(
        Case(
            row=14,
            name=f"{what} once",
            scripts=steadily(*once(Junk(what=what, after_tokens=5))),
            calls=2,
        )
        for what in ("invalid_json", "unbalanced_json", "not_an_object")
    ),
    *(
        Case(
            row=14,
            name=what,
            scripts=always(Junk(what=what, after_tokens=2)),
            relayed_whole=MALFORMED,
            calls=1,
        )
        for what in ("null_choices", "unknown_event", "empty_data")
    ),
    *(
        Case(
            row=14,
            name=what,
            scripts=always(Junk(what=what, after_tokens=2)),
            relayed_whole=Senseless("an empty answer is an answer"),
            calls=1,
        )
        for what in ("no_choices", "null_delta", "unknown_fields")
    ),
    Case(
        row=14,
        name="duplicate_index",
        scripts=always(Junk(what="duplicate_index", after_tokens=2)),
        expected=one_of("", "dup", "dupdup"),
        relayed_whole=Senseless(_EARLIER),
    ),
    *(
        Case(
            row=14,
            name=f"text with {what}",
            scripts=always(InvalidText(what=what, after_tokens=2)),
            expected=one_of(*read),
            relayed_whole=Senseless("documents are passed on as they are"),
            calls=1,
        )
        for what, read in _INVALID_TEXTS.items()
    ),
    Case(row=15, name="HTML with 200", scripts=always(Html()), expected=WRONG_ADDRESS),
    Case(row=15, name="gzip", scripts=always(Gzip()), expected=MALFORMED),
    Case(
        row=15,
        name="gzip bomb",
        scripts=always(Gzip(bomb_bytes=64 << 20)),
        expected=MALFORMED,
        heavy=True,
    ),
    Case(
        row=15,
        name="redirect to another host",
        scripts=always(Redirect(location=REDIRECT_TARGET)),
        expected=WRONG_ADDRESS,
        calls=1,
    ),
    Case(
        row=16,
        name="half of a tool call",
        scripts=(_HALF_CALL, Script(text=TEXT)),
        expected=CALLS,
        stored=Either((ANSWER, Whole(tools=1))),  # native streams tell of the call
        calls=1,
        stored_calls=2,
    ),
    Case(
        row=16,
        name="cut in a tool call",
        scripts=(_CUT_CALL, _CALL),
        expected=Broken(CUT),
        whole=CALLS,
        stored=Either((CUT, Broken(CUT))),
    ),
    Case(
        row=16,
        name="10,000 tool calls",
        model="many-calls",
        expected=Whole("", tools=10_000),
        stored=Either((MALFORMED, Broken(MALFORMED))),
        calls=1,
        heavy=True,
    ),
)

"""Calls of a desktop among the deltas of an answer: each is told whole, in our own words.

A model may write them as its vendor's own tool or as a function, in pieces or at once. All calls of
the answer are numbered anew, in their order.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Protocol, cast

import msgspec
from msgspec.structs import replace

from cartrita.dialects.computer_functions import Unreadable, read_call
from cartrita.dialects.stream_parsers import CreateParser, ParseCompletion, StreamParser
from cartrita.domain.deltas import Delta, Finished, FinishReason, ToolCallDelta, VendorDelta
from cartrita.domain.desktop import ComputerCall
from cartrita.domain.json import JsonObject
from cartrita.domain.messages import VendorPart
from cartrita.domain.tools import COMPUTER, ComputerTool
from cartrita.domain.usage import Usage
from cartrita.kit.secret import Secret
from cartrita.kit.text import storable_json

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(JsonObject).decode


class WrittenCall(msgspec.Struct, frozen=True):
    """A call as a vendor's own tool has it: `vendor` is sent back, `read` says what it asks for."""

    call_id: str
    vendor: JsonObject
    read: Callable[[], ComputerCall]


class CallForm(Protocol):
    """How a dialect has the calls of one desktop.

    `origin` is the dialect, where what a model wrote is sent back as it was; None for a function.
    """

    @property
    def origin(self) -> str | None: ...

    def find(self, part: VendorPart) -> WrittenCall | None:
        """The call that a part is, if it is one of the vendor's own tool."""
        ...

    def of_function(self, call_id: str, arguments: JsonObject) -> WrittenCall:
        """The call of a function with the name of the tool."""
        ...


class FunctionForm:
    """A desktop as a plain function; implements `CallForm`."""

    origin: str | None = None

    def __init__(self, tool: ComputerTool) -> None:
        self._tool = tool

    def find(self, part: VendorPart) -> WrittenCall | None:
        """See `CallForm`: a function is no part of a vendor."""
        del part

    def of_function(self, call_id: str, arguments: JsonObject) -> WrittenCall:
        """See `CallForm`."""
        return WrittenCall(call_id, arguments, partial(read_call, arguments, self._tool))


def with_computer(
    form: CallForm, create: CreateParser, parse: ParseCompletion
) -> tuple[CreateParser, ParseCompletion]:
    """A dialect's parsers, for answers to a request that offers a desktop."""

    def create_parser(provider: str, secrets: tuple[Secret, ...]) -> StreamParser:
        return ComputerParser(create(provider, secrets), form)

    def parse_completion(provider: str, body: bytes, secrets: tuple[Secret, ...]) -> list[Delta]:
        return list(ComputerCalls(form).feed(parse(provider, body, secrets)))

    return create_parser, parse_completion


class ComputerParser:
    """A parser of a stream, around that of its dialect; implements `StreamParser`."""

    def __init__(self, parser: StreamParser, form: CallForm) -> None:
        self._parser = parser
        self._calls = ComputerCalls(form)

    @property
    def done(self) -> bool:
        """See `StreamParser`."""
        return self._parser.done

    @property
    def ignored(self) -> int:
        """See `StreamParser`."""
        return self._parser.ignored

    @property
    def line_bytes(self) -> int:
        """See `StreamParser`."""
        return self._parser.line_bytes

    @property
    def complete(self) -> bool:
        """See `StreamParser`."""
        return self._parser.complete

    @property
    def model(self) -> str | None:
        """See `StreamParser`."""
        return self._parser.model

    @property
    def counted(self) -> Usage | None:
        """See `StreamParser`."""
        return self._parser.counted

    def feed(self, data: str | bytes, event: str = "message") -> list[Delta]:
        """See `StreamParser`."""
        return list(self._calls.feed(self._parser.feed(data, event)))

    def end(self) -> list[Delta]:
        """See `StreamParser`."""
        return list(self._calls.feed(self._parser.end()))


class _Held:
    """A call whose name is not known yet, or which is one of the desktop."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.call_id = ""
        self.name = ""
        self.pieces: list[str] = []

    def add(self, delta: ToolCallDelta) -> None:
        self.call_id = self.call_id or delta.call_id or ""
        self.name = self.name or delta.name or ""
        self.pieces.append(delta.arguments)

    @property
    def whole(self) -> ToolCallDelta:
        call_id, name = self.call_id or None, self.name or None
        return ToolCallDelta(self.number, call_id, name, "".join(self.pieces))


class ComputerCalls:
    """Those of one answer: `feed` it the deltas, of which `Finished` is the last."""

    def __init__(self, form: CallForm) -> None:
        self._form = form
        self._numbers: dict[int, int] = {}
        self._held: dict[int, _Held] = {}
        self._count = 0

    def feed(self, deltas: list[Delta]) -> Iterator[Delta]:
        """The deltas that can be told now."""
        for delta in deltas:
            match delta:
                case ToolCallDelta():
                    yield from self._call(delta)
                case VendorDelta(part=part) if (call := self._form.find(part)) is not None:
                    yield self._told(self._next(), call)
                case Finished():
                    yield from self._rest()
                    yield self._finished(delta)
                case _:
                    yield delta

    def _call(self, delta: ToolCallDelta) -> Iterator[Delta]:
        if delta.index not in self._numbers:
            number = self._numbers[delta.index] = self._next()
            self._held[delta.index] = _Held(number)
        held = self._held.get(delta.index)
        if held is None:
            yield replace(delta, index=self._numbers[delta.index])
            return
        held.add(delta)
        if held.name and held.name != COMPUTER:
            del self._held[delta.index]
            yield held.whole

    def _rest(self) -> Iterator[Delta]:
        for held in self._held.values():
            whole = held.whole
            if whole.name != COMPUTER:
                yield whole
                continue
            try:
                arguments = _decode(whole.arguments or "{}")
            except (ValueError, RecursionError):
                yield whole  # whoever puts the calls together tells the model what is wrong
                continue
            yield self._told(held.number, self._form.of_function(held.call_id, arguments))
        self._held.clear()

    def _told(self, number: int, call: WrittenCall) -> ToolCallDelta:
        origin, vendor = self._form.origin, call.vendor
        problem: str | None = None
        try:
            text = _encode(call.read()).decode()
        except Unreadable as error:
            problem, text = str(error), _encode(storable_json(vendor)).decode()
        kept = cast("JsonObject", storable_json(vendor)) if origin else {}
        return ToolCallDelta(number, call.call_id or None, COMPUTER, text, problem, origin, kept)

    def _finished(self, finished: Finished) -> Finished:
        """Some say that they stopped where they called a tool."""
        if self._count and finished.reason is FinishReason.STOP:
            return replace(finished, reason=FinishReason.TOOL_CALL)
        return finished

    def _next(self) -> int:
        self._count += 1
        return self._count - 1

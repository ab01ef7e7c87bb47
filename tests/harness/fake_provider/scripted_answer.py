"""The part of an answer that is the same in all dialects: pauses, heads, and faults in order."""

import hashlib
import random
from abc import abstractmethod

import msgspec
from tests.harness.fake_provider.dialect import Call
from tests.harness.fake_provider.fault import Rendering
from tests.harness.fake_provider.script import Script
from tests.harness.fake_provider.steps import Head, Send, Steps, Wait


class ScriptedAnswer(Rendering):
    """One request's answer as its script wants it; a Rendering for the faults that bend it."""

    def __init__(self, call: Call, script: Script, *, streamed: bool) -> None:
        self._call = call
        self._script = script
        self._streams = streamed
        place = f"{call.service.seed}:{call.exchange.number}"
        self._chance = random.Random(f"{place}:jitter")
        self._digest = hashlib.sha256(place.encode()).hexdigest()

    @property
    def streamed(self) -> bool:
        return self._streams

    def steps(self) -> Steps:
        """Everything to do on the socket, faults included."""
        steps = self._stream_steps() if self.streamed else self._whole_steps()
        for fault in self._script.faults:
            steps = fault.apply(steps, self)
        return steps

    @abstractmethod
    def _events(self) -> Steps:
        """The stream after its head."""

    @abstractmethod
    def _document(self) -> tuple[object, int]:
        """The whole answer, and how many tokens it carries."""

    def _stream_steps(self) -> Steps:
        yield Wait(self._script.before_headers_s)
        yield Head(200, (("content-type", "text/event-stream; charset=utf-8"),))
        yield Wait(self._script.before_first_s)
        yield from self._events()

    def _whole_steps(self) -> Steps:
        document, tokens = self._document()
        body = msgspec.json.encode(document)
        yield Wait(self._script.before_headers_s)
        yield Head(200, (("content-type", "application/json"),), len(body))
        yield Wait(self._script.before_first_s)
        yield Send(body, tokens)

    def _pause(self) -> Wait:
        pause = self._script.between_tokens_s
        if self._script.jitter_s:
            pause += self._chance.uniform(0, self._script.jitter_s)
        return Wait(pause)

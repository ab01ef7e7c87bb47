"""The answer to a request of the audio API: JSON, text or sound, in one piece or as it is made."""

from collections.abc import Sequence
from typing import Any

import msgspec
from tests.harness.fake_provider.dialect import Call
from tests.harness.fake_provider.fault import Malformed
from tests.harness.fake_provider.openai import errors
from tests.harness.fake_provider.script import Script
from tests.harness.fake_provider.scripted_answer import ScriptedAnswer
from tests.harness.fake_provider.steps import Head, Send, Steps, Wait

EVENTS = "text/event-stream; charset=utf-8"
JSON = "application/json"


class AudioAnswer(ScriptedAnswer):
    """Pieces of a body, each of them one token; a `whole` one tells its length before."""

    def __init__(
        self,
        call: Call,
        script: Script,
        content_type: str,
        pieces: Sequence[bytes],
        *,
        whole: bool = False,
    ) -> None:
        super().__init__(call, script, streamed=content_type == EVENTS)
        self._content_type = content_type
        self._pieces = pieces
        self._whole = whole

    def steps(self) -> Steps:
        steps = self._sending()
        for fault in self._script.faults:
            steps = fault.apply(steps, self)
        return steps

    def frame(self, payload: bytes) -> bytes:
        return b"data: " + payload + b"\n\n" if self.streamed else payload

    def refusal(self, status: int, code: str | None) -> bytes:
        return self._call.refused(errors.answer_to(status), code)

    def failure(self, error: dict[str, Any] | None) -> bytes:
        return msgspec.json.encode({"error": error or errors.answer_to(500).error})

    def text(self, text: str) -> bytes:
        return msgspec.json.encode({"text": text})

    def padded(self, padding: str) -> bytes:
        return msgspec.json.encode({"text": "", "padding": padding})

    def malformed(self, what: Malformed) -> bytes:
        return {"not_an_object": b'["text"]', "empty_data": b"", "invalid_json": b'{"text":"'}.get(
            what, b"{}"
        )

    def _events(self) -> Steps:
        return self._sending()

    def _document(self) -> tuple[object, int]:
        return None, 0

    def _sending(self) -> Steps:
        script = self._script
        length = sum(map(len, self._pieces)) if self._whole else None
        yield Wait(script.before_headers_s)
        yield Head(200, (("content-type", self._content_type),), length)
        yield Wait(script.before_first_s)
        for piece in self._pieces:
            yield self._pause()
            yield Send(piece, 1)

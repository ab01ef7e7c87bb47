"""An answer that is one JSON document and never a stream, and what faults make of it."""

from collections.abc import Callable
from itertools import chain
from typing import Any

import msgspec
from tests.harness.fake_provider.dialect import Call, plain
from tests.harness.fake_provider.fault import Malformed
from tests.harness.fake_provider.refusal import Refusal
from tests.harness.fake_provider.steps import Steps, Wait


class PlainAnswer:
    """A Rendering of a document; `refuse` makes the vendor's error for a status."""

    streamed = False

    def __init__(self, call: Call, document: object, refuse: Callable[[int], Refusal]) -> None:
        self._call = call
        self._document = document
        self._refuse = refuse

    def steps(self) -> Steps:
        """What the path's script makes of it, or the document as it is."""
        steps = plain(200, msgspec.json.encode(self._document))
        script = self._call.service.selector.for_path(self._call.path)
        if script is None:
            return steps
        self._call.exchange.script = script
        steps = chain([Wait(script.before_headers_s)], steps)
        for fault in script.faults:
            steps = fault.apply(steps, self)
        return steps

    def frame(self, payload: bytes) -> bytes:
        return payload

    def refusal(self, status: int, code: str | None) -> bytes:
        return self._call.refused(self._refuse(status), code)

    def failure(self, error: dict[str, Any] | None) -> bytes:
        if error is None:
            return self.refusal(500, None)
        return msgspec.json.encode({"error": error})

    def text(self, text: str) -> bytes:
        return self.padded(text)

    def padded(self, padding: str) -> bytes:
        return msgspec.json.encode({"document": self._document, "padding": padding})

    def malformed(self, what: Malformed) -> bytes:
        if what == "invalid_json":
            return msgspec.json.encode(self._document)[:-1]
        if what == "unbalanced_json":
            return msgspec.json.encode(self._document)[:-1] + b"]}"
        return {"not_an_object": b'["document"]', "empty_data": b""}.get(what, b"{}")

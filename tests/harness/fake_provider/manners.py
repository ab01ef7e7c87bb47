"""How a service in front of the vendors differs from them: CometAPI's envelope and its pages."""

from typing import Literal

import msgspec
from tests.harness.fake_provider.refusal import Refusal

Manner = Literal["vendor", "comet"]
PAGE = b"<!DOCTYPE html><html><head><title>CometAPI</title></head><body></body></html>"


class Manners:
    """The envelope of refusals, by the name of who answers.

    CometAPI's is {"error": {code, message, type: "comet_api_error", param}} in every dialect; a
    path it does not know gets the page of its console with 200.
    """

    def __init__(self, name: Manner = "vendor") -> None:
        self.comet = name == "comet"

    def envelope(self, refusal: Refusal, request_id: str) -> bytes:
        if not self.comet:
            return refusal.body(request_id)
        error = {
            "code": refusal.code or "",
            "message": f"{refusal.message} (request id: {request_id})",
            "type": "comet_api_error",
            "param": "",
        }
        return msgspec.json.encode({"error": error})

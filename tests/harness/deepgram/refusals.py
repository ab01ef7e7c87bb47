"""Errors in the three shapes of Deepgram: plain text, `err_code` and `category`."""

import json

from tests.harness.deepgram.faults import Refuse, Shape

REQUEST_ID = "8c8ebea9-dbec-45fa-a035-e4632cb05b5f"


class Refused(Exception):
    """A request that Deepgram would not serve."""

    def __init__(self, status: int, code: str, message: str, shape: Shape = "legacy") -> None:
        super().__init__(message)
        self.refuse = Refuse(status=status, code=code, message=message, shape=shape)


def bad_request(message: str) -> Refused:
    """A parameter or a body that is wrong."""
    return Refused(400, "Bad Request", f"Bad Request: {message}")


def invalid_auth() -> Refused:
    """No credential that it knows."""
    return Refused(401, "INVALID_AUTH", "Invalid credentials.")


def body_of(refuse: Refuse) -> tuple[str, bytes]:
    """The content type and the body."""
    match refuse.shape:
        case "text":
            return "text/plain; charset=utf-8", refuse.message.encode()
        case "legacy":
            told = {"err_code": refuse.code, "err_msg": refuse.message, "request_id": REQUEST_ID}
        case "modern":
            told = {
                "category": refuse.code,
                "message": refuse.message,
                "details": "See the documentation.",
                "request_id": REQUEST_ID,
            }
    return "application/json", json.dumps(told).encode()

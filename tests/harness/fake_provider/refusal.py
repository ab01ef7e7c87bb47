"""A request that is not answered but refused, in whatever envelope its dialect uses."""

from abc import ABC, abstractmethod


class Refusal(Exception, ABC):
    """The request is answered with `status` and `body`; `code` is the vendor's word, if any."""

    def __init__(self, message: str, status: int, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.code = code

    @abstractmethod
    def body(self, request_id: str) -> bytes:
        """The vendor's JSON."""

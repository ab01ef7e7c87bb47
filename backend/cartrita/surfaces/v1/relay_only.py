"""Calls that can only be relayed, because no other dialect has anything like them."""

from typing import NoReturn

from cartrita.domain.errors import InvalidInput


class NotRelayed(InvalidInput):
    """The provider of the model does not speak the dialect of the request."""

    def __init__(self) -> None:
        problem = "the provider of this model has no such endpoint; choose a model of another one"
        super().__init__(f"model: {problem}", fields={"model": [problem]}, code="not_supported")


def not_relayed() -> NoReturn:
    """The request of a call that cannot be translated. Raises NotRelayed."""
    raise NotRelayed

"""Tables that must agree: errors, operations."""

import importlib
from collections import Counter

import pytest
from starlette.requests import Request
from tests.harness.served_contract import OPENAPI
from tests.laws.tree import PACKAGE

from cartrita.domain import errors
from cartrita.domain.errors import CartritaError, ErrorKind, UpstreamError

_SURFACES = sorted(path.parent.name for path in (PACKAGE / "surfaces").glob("*/errors.py"))


def subclasses(cls: type[CartritaError]) -> list[type[CartritaError]]:
    """An error and everything below it."""
    return [cls, *(one for child in cls.__subclasses__() for one in subclasses(child))]


def tree() -> list[type[CartritaError]]:
    """The errors of the domain."""
    return [one for one in subclasses(CartritaError) if one.__module__ == errors.__name__]


@pytest.mark.parametrize("kind", ErrorKind)
@pytest.mark.parametrize("surface", _SURFACES)
def test_every_kind_of_error_has_a_status_on_every_surface(surface: str, kind: ErrorKind) -> None:
    module = importlib.import_module(f"cartrita.surfaces.{surface}.errors")
    error = type("OfThisKind", (CartritaError,), {"kind": kind})("It failed.")
    request = Request({"type": "http", "method": "POST", "headers": [], "state": {}})
    response = module.error_response(request, error)
    assert 400 <= response.status_code < 600


def test_every_error_is_drawn_in_its_tree() -> None:
    drawn = errors.__doc__ or ""
    assert [one.__name__ for one in tree() if one.__name__ not in drawn] == []


def test_every_error_of_a_provider_is_one_of_the_domain() -> None:
    assert [one for one in subclasses(UpstreamError) if one.__module__ != errors.__name__] == []


def test_a_code_names_one_error() -> None:
    counted = Counter(one.default_code for one in tree())
    assert [code for code, times in counted.items() if times > 1] == []


def test_operations_have_names_of_their_own() -> None:
    operations = [
        operation["operationId"]
        for methods in OPENAPI["paths"].values()
        for operation in methods.values()
    ]
    assert len(operations) > 10
    assert [each for each, times in Counter(operations).items() if times > 1] == []

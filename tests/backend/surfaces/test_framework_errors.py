"""Errors of the web framework become errors of the application."""

import pytest
from pydantic import BaseModel, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request

from cartrita.domain.errors import CartritaError, Malformed, NotFound
from cartrita.surfaces.framework_errors import (
    body_to_invalid_input,
    to_cartrita_error,
    to_invalid_input,
)

REQUEST = Request({"type": "http", "method": "GET", "path": "/", "headers": []})


class Counted(BaseModel):
    """A body with one field."""

    count: int


def test_an_error_of_the_application_is_kept() -> None:
    error = NotFound("There is no such run.", code="run_not_found")
    assert to_cartrita_error(REQUEST, error) is error


@pytest.mark.parametrize(
    ("status", "kind", "code"),
    [(404, NotFound, "not_found"), (400, Malformed, "malformed_request")],
)
def test_routing_errors(status: int, kind: type[CartritaError], code: str) -> None:
    error = to_cartrita_error(REQUEST, HTTPException(status))
    assert (type(error), error.code) == (kind, code)


def test_an_unexpected_error_reveals_nothing() -> None:
    error = to_cartrita_error(REQUEST, ValueError("the password is swordfish"))
    assert (type(error), error.code) == (CartritaError, "internal")
    assert "swordfish" not in error.message


def test_an_invalid_body_names_its_field() -> None:
    with pytest.raises(ValidationError) as raised:
        Counted.model_validate({"count": "many"})
    assert list(body_to_invalid_input(raised.value).fields) == ["count"]


def test_findings_are_grouped_by_field() -> None:
    error = to_invalid_input(
        [
            {"loc": ("query", "limit"), "msg": "Input should be less than 9"},
            {"loc": ("query", "limit"), "msg": "Value error, It is odd"},
            {"loc": ("query", "tags", 0), "msg": "Field required"},
        ],
        skip=1,
    )
    assert error.message == "limit: input should be less than 9"
    assert error.fields == {
        "limit": ["input should be less than 9", "it is odd"],
        "tags.0": ["field required"],
    }

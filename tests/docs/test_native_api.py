"""The pages on the APIs say of every route, event, field and error what the code says."""

import re
from typing import Any

import pytest
from tests.docs.snippets import ROOT
from tests.harness.served_contract import OPENAPI
from tests.laws.tree import PACKAGE, files

from cartrita.domain import errors
from cartrita.domain.errors import CartritaError, ErrorKind
from cartrita.surfaces.native.errors import STATUS

PAGE = (ROOT / "docs" / "native-api.md").read_text()
V1_PAGES = "".join(
    (ROOT / "docs" / f"{name}-api.md").read_text() for name in ("openai", "anthropic")
)
SERVED = {
    (method.upper(), path) for path, methods in OPENAPI["paths"].items() for method in methods
}
_NOT_IN_THE_CONTRACT = {("GET", "/openapi.json"), ("GET", "/docs"), ("GET", "/metrics")}


def named_in(page: str) -> set[tuple[str, str]]:
    """The routes that the tables of a page name, as (method, path)."""
    return set(re.findall(r"(?m)^\| `(GET|POST|PUT|PATCH|DELETE) (/[^` ?]*)`", page))


def rows(heading: str) -> list[list[str]]:
    """The cells of the first table after a heading, without its head."""
    section = re.split(rf"(?m)^#+ {heading}$", PAGE)[1]
    table = re.search(r"(?m)(?:^\|.*\n)+", section)
    assert table
    cells = [re.split(r"(?<!\\) *\| *", line.strip("| \n")) for line in table[0].splitlines()]
    return cells[2:]


def tree(cls: type[CartritaError]) -> list[type[CartritaError]]:
    below = [one for child in cls.__subclasses__() for one in tree(child)]
    return [one for one in (cls, *below) if one.__module__ == errors.__name__]


def test_it_names_every_route_and_no_other() -> None:
    in_words = {("GET", "/api/search")}
    native = {(method, path) for method, path in SERVED if not path.startswith("/v1/")}
    assert named_in(PAGE) | in_words == native | _NOT_IN_THE_CONTRACT


def test_the_pages_on_v1_name_every_route_and_no_other() -> None:
    assert named_in(V1_PAGES) == {
        (method, path) for method, path in SERVED if path.startswith("/v1/")
    }


def test_it_names_every_field_of_a_chat_request() -> None:
    named = [cells[0].strip("`") for cells in rows("Chat request")]
    assert sorted(named) == sorted(OPENAPI["components"]["schemas"]["ChatRequest"]["properties"])


def test_it_names_every_event_and_its_data() -> None:
    schemas: dict[str, Any] = OPENAPI["components"]["schemas"]
    frames = schemas["ChatEvent"]["discriminator"]["mapping"]
    documented = {cells[0].strip("`"): cells[1] for cells in rows("Streams")}
    assert set(documented) == set(frames)
    for event, reference in frames.items():
        frame = schemas[reference.rpartition("/")[2]]
        data = schemas[frame["properties"]["data"]["$ref"].rpartition("/")[2]]
        assert set(data["properties"]) <= set(re.findall(r"`(\w+)`", documented[event])), event


def test_it_gives_every_kind_of_error_its_status() -> None:
    documented = {cells[1]: int(cells[0]) for cells in rows("Errors") if cells[1]}
    ends = {"cancelled": 409, "interrupted": 503}
    assert documented == {kind.value: status for kind, status in STATUS.items()} | ends


def test_the_contract_knows_the_codes_that_the_page_names() -> None:
    """Of one kind each; on the page some codes stand in several rows, by who has to act."""
    documented: set[str] = {
        code for cells in rows("Errors") for code in re.findall("`(.*?)`", cells[2])
    }
    kinds: list[dict[str, Any]] = OPENAPI["x-error-kinds"]
    codes = [code for kind in kinds for code in kind["codes"]]
    assert len(codes) == len(set(codes))
    assert set(codes) == documented - {"own", "details.credential"}
    by_code = {code: kind["kind"] for kind in kinds for code in kind["codes"]}
    for each in tree(CartritaError):
        assert by_code[each.default_code] == each.kind.value


@pytest.mark.parametrize("kind", list(ErrorKind), ids=str)
def test_it_names_every_code_of_the_tree(kind: ErrorKind) -> None:
    documented = {cells[1]: cells[2] for cells in rows("Errors")}
    for each in tree(CartritaError):
        if each.kind is kind:
            assert f"`{each.default_code}`" in documented[kind.value]


def test_it_names_every_code_that_is_given_by_hand() -> None:
    written = re.compile(r'\b(?:default_)?code="([a-z_]+)"|default_code = "([a-z_]+)"')
    given = {
        one or other
        for path in files(PACKAGE, ".py")
        for one, other in written.findall(path.read_text())
    }
    assert len(given) > 20
    assert {code for code in given if f"`{code}`" not in PAGE + V1_PAGES} == set()

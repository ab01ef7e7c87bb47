"""The top level of the repository is fixed: what is new finds its place below."""

from tests.laws.tree import ROOT, kept

_PLACES = {
    "backend": "the distribution and package `cartrita`",
    "client": "the distribution `cartrita-client`",
    "frontend-contract": "what frontends are written against",
    "migrations": "the database's schema",
    "tests": "tests and their harness",
    "docs": "what is to be known beyond the README",
    ".ci": "what runs before a change lands",
    "pyproject.toml": "the workspace: tasks and checks",
    "requirements.lock": "what runs, hashed",
    "requirements-dev.lock": "what works on it, hashed",
    "docker-compose.yml": "the server and its database in containers",
    ".dockerignore": "what an image is built from",
    ".env.example": "what docker-compose.yml asks for",
    ".gitignore": "what is not kept",
    "README.md": "where to begin",
    "CHANGELOG.md": "what changed",
    "LICENSE": "what may be done with it",
}


def test_nothing_is_added_to_the_top() -> None:
    found = {path.name for path in ROOT.iterdir() if kept(path)}
    assert found <= set(_PLACES), "choose a place below"


def test_what_belongs_there_is_there() -> None:
    assert set(_PLACES) <= {path.name for path in ROOT.iterdir()}

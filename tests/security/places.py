"""Every place of every route that takes a text: in its path, query, headers and body."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec
from tests.security.cells import Asked, Route, all_routes, plain
from tests.security.owners import Things

_DOCUMENT = Path(__file__).parents[2] / "frontend-contract/openapi.json"


class Place(msgspec.Struct, frozen=True):
    """One field of one route."""

    route: Route
    where: str
    """`path`, `query`, `header` or `body`."""
    name: str

    def holding(self, text: str, things: Things) -> Asked:
        """The route, asked with this text at this place, and otherwise as it wants."""
        asked = plain(self.route, things)
        if self.where == "path":
            at = self.route.path.split("/").index(f"{{{self.name}}}")
            path, _, query = asked.target.partition("?")
            parts = path.split("/")
            parts[at] = quote(text, safe="")
            target = "/".join(parts[: len(self.route.path.split("/"))])
            return msgspec.structs.replace(asked, target=f"{target}?{query}" if query else target)
        if self.where == "query":
            joint = "&" if "?" in asked.target else "?"
            target = f"{asked.target}{joint}{self.name}={quote(text, safe='')}"
            return msgspec.structs.replace(asked, target=target)
        if self.where == "header":
            value = text.encode("utf-8").decode("latin-1")
            return msgspec.structs.replace(asked, headers={self.name: value})
        return msgspec.structs.replace(asked, body={**(asked.body or {}), self.name: text})


def places() -> list[Place]:
    """Every place that openapi.json tells of, of every route."""
    document: dict[str, Any] = json.loads(_DOCUMENT.read_text())
    operations = {
        operation["operationId"]: operation
        for methods in document["paths"].values()
        for operation in methods.values()
    }
    return [
        Place(route, where, name)
        for route in all_routes()
        if route.method != "HEAD"
        for where, name in _fields(document, operations.get(route.name, {}))
    ]


def _fields(document: dict[str, Any], operation: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for parameter in operation.get("parameters", ()):
        yield parameter["in"], parameter["name"]
    for content in operation.get("requestBody", {}).get("content", {}).values():
        schema = content["schema"]
        if "$ref" in schema:
            schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        for name in schema.get("properties", {}):
            yield "body", name

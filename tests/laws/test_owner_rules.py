"""Every route and frame, and every field that could hold an id, has a rule of whose it shows."""

import json
import re
from collections.abc import Iterator
from typing import Any

from tests.laws.tree import ROOT
from tests.security.cells import Route, all_routes
from tests.security.frames import sent_frames
from tests.security.rules import (
    FRAME_RULES,
    NO_IDS,
    OLDER_FRONTENDS_RULES,
    PATH_KINDS,
    RULES,
    SHARED,
    Rule,
)

from cartrita.app import create_app, routes
from cartrita.surfaces.services import SurfaceConfig

_LOOKS_LIKE_AN_ID = re.compile(r"(?i)(_?ids?|cursor|_key|-key|after|before|ticket|conversation)$")
DOCUMENT: dict[str, Any] = json.loads((ROOT / "frontend-contract/openapi.json").read_text())


def operations() -> Iterator[dict[str, Any]]:
    """Every operation that openapi.json describes."""
    for methods in DOCUMENT["paths"].values():
        yield from methods.values()


def fields_of(operation: dict[str, Any]) -> Iterator[str]:
    """The names of what a request may hold beside its path."""
    for parameter in operation.get("parameters", ()):
        if parameter["in"] != "path":
            yield parameter["name"]
    for content in operation.get("requestBody", {}).get("content", {}).values():
        schema = content["schema"]
        if "$ref" in schema:
            schema = DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        yield from schema.get("properties", {})


def ruled(rule: Rule, name: str) -> bool:
    """Whether a rule asks for things by this field."""
    return any(
        name in field.body or name in field.headers or field.query.startswith(f"{name}=")
        for field in rule.fields
    )


def test_each_route_has_a_rule_and_each_rule_a_route() -> None:
    assert {route.name for route in all_routes()} == RULES.keys()


def test_each_route_for_older_frontends_has_a_rule() -> None:
    served = {name for _, _, name in routes(create_app(SurfaceConfig(older_frontends=True)))}
    assert served == RULES.keys() | OLDER_FRONTENDS_RULES.keys()


def test_each_parameter_of_a_path_is_of_a_kind() -> None:
    names = {name for route in all_routes() for name in re.findall(r"{(\w+)}", route.path)}
    assert names == PATH_KINDS.keys() | SHARED


def test_each_field_that_could_hold_an_id_has_a_rule() -> None:
    without: list[str] = []
    for operation in operations():
        name = operation["operationId"]
        for field in fields_of(operation):
            known = {field, f"{name}.{field}"} & NO_IDS.keys() or ruled(RULES[name], field)
            if _LOOKS_LIKE_AN_ID.search(field) and not known:
                without.append(f"{name}.{field}")
    assert not without


def test_no_rule_is_of_a_field_that_is_not_there() -> None:
    for operation in operations():
        known = set(fields_of(operation))
        for field in RULES[operation["operationId"]].fields:
            names = {*field.body, *field.headers, *re.findall(r"(\w+)=", field.query)}
            assert names & known or names == {"conversationId"}, (operation["operationId"], names)


def test_each_frame_has_a_rule_and_each_rule_a_frame() -> None:
    assert sent_frames().keys() == FRAME_RULES.keys()


def test_each_field_of_a_frame_that_could_hold_an_id_has_a_rule() -> None:
    for name, fields in sent_frames().items():
        ruled = FRAME_RULES[name].ids.keys()
        assert ruled <= fields
        for field in fields - ruled:
            known = {field, f"{name}.{field}"} & NO_IDS.keys()
            assert known or not _LOOKS_LIKE_AN_ID.search(field), (name, field)


def test_a_route_without_a_rule_is_noticed() -> None:
    assert Route("GET", "/api/secrets", "list_secrets").name not in RULES

"""Everything in the contract is described, has examples that hold, and is told only once."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from tests.harness.served_contract import ASYNCAPI, OPENAPI

from cartrita.surfaces.native.contract_examples import Examples, MissingExample, exemplified
from cartrita.surfaces.native.contract_texts import ContractTexts, contract_texts

SCHEMAS: dict[str, Any] = {
    **ASYNCAPI["components"]["schemas"],
    **OPENAPI["components"]["schemas"],
}
TEXTS = contract_texts()


def native() -> Iterator[dict[str, Any]]:
    """The operations that clients have methods for."""
    for methods in OPENAPI["paths"].values():
        yield from (one for one in methods.values() if one.get("x-client") != "none")


def reached() -> set[str]:
    """The schemas that those operations and the socket lead to."""
    found: set[str] = set()
    waiting: list[object] = [*native(), ASYNCAPI["components"]["messages"]]
    while waiting:
        match waiting.pop():
            case {"$ref": str() as reference, **rest}:
                name = reference.rpartition("/")[2]
                if name not in found and "/schemas/" in reference:
                    found.add(name)
                    waiting.append(SCHEMAS[name])
                waiting.append(rest)
            case dict() as members:
                waiting.extend(members.values())
            case list() as items:
                waiting.extend(items)
            case _:
                pass
    return found


def fields() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for name in sorted(reached()):
        for field, schema in SCHEMAS[name].get("properties", {}).items():
            yield name, field, schema


def test_every_schema_and_field_is_described() -> None:
    assert len(reached()) > 100
    assert [name for name in sorted(reached()) if not SCHEMAS[name].get("description")] == []
    assert [f"{name}.{field}" for name, field, one in fields() if not one.get("description")] == []


def test_every_parameter_is_described() -> None:
    silent = [
        f"{operation['operationId']}.{parameter['name']}"
        for operation in native()
        for parameter in operation.get("parameters", ())
        if not (parameter.get("description") or parameter.get("schema", {}).get("description"))
    ]
    assert silent == []


@pytest.mark.parametrize("name", sorted(n for n, one in SCHEMAS.items() if "examples" in one))
def test_an_example_holds(name: str) -> None:
    schema = {"$ref": f"#/components/schemas/{name}", "components": {"schemas": SCHEMAS}}
    for example in SCHEMAS[name]["examples"]:
        Draft202012Validator(schema).validate(example)


def test_all_that_is_sent_and_answered_has_an_example() -> None:
    frames = {name for name in reached() if name.endswith("Frame")}
    wanted = (exemplified(OPENAPI) | frames) & set(SCHEMAS)
    assert len(wanted) > 80
    assert [name for name in sorted(wanted) if "examples" not in SCHEMAS[name]] == []


def test_parameters_of_paths_have_examples_that_hold() -> None:
    for operation in native():
        for parameter in operation.get("parameters", ()):
            if parameter["in"] == "path":
                Draft202012Validator(parameter["schema"]).validate(parameter["example"])


def test_no_text_is_of_a_field_that_is_not_there() -> None:
    of_schemas = {(name, field) for name, field, _ in fields()}
    of_operations = {
        (operation["operationId"], one["name"])
        for operation in native()
        for one in operation.get("parameters", ())
    }
    forms = {("upload_file", "file"), ("upload_files", "files")}
    known = {*of_schemas, *of_operations, *forms}
    names = {field for _, field in known} | {f"{owner}.{field}" for owner, field in known}
    told = {*TEXTS.fields, *TEXTS.examples, *TEXTS.nulls}
    assert sorted(told - names) == []
    assert sorted(TEXTS.schemas.keys() - SCHEMAS.keys()) == []


def test_both_documents_have_the_very_same_schemas() -> None:
    shared = ASYNCAPI["components"]["schemas"].keys() & OPENAPI["components"]["schemas"].keys()
    events = {name for name in shared if name.endswith("Frame")}
    assert {"ChatEvent", "MessagePart", "TokenFrame", "DoneData", "TokenUsage"} <= shared
    assert len(events) == len(OPENAPI["components"]["schemas"]["ChatEvent"]["anyOf"])
    for name in shared:
        here = json.dumps(ASYNCAPI["components"]["schemas"][name])
        # AsyncAPI has another meaning for the word.
        assert json.loads(here.replace('"x-discriminator"', '"discriminator"')) == SCHEMAS[name]


def test_a_text_without_an_example_is_found() -> None:
    schemas = {"Box": {"required": ["label"], "properties": {"label": {"type": "string"}}}}
    nothing = ContractTexts(schemas={}, fields={}, examples={}, nulls=frozenset())
    with pytest.raises(MissingExample, match=r"Box\.label"):
        Examples(schemas, nothing).of_schema("Box")


def test_the_longer_name_wins_and_optional_fields_come_only_with_a_value_of_their_own() -> None:
    text = {"type": "string"}
    schemas = {
        "Box": {
            "required": ["label", "lid"],
            "properties": {"label": text, "lid": text, "note": text, "size": text, "gone": text},
        }
    }
    texts = ContractTexts(
        schemas={},
        fields={},
        examples={
            "label": "short",
            "Box.label": "long",
            "lid": "lid",
            "size": "s",
            "Box.note": "n",
        },
        nulls=frozenset({"gone"}),
    )
    assert Examples(schemas, texts).of_schema("Box") == {
        "label": "long",
        "lid": "lid",
        "note": "n",
    }

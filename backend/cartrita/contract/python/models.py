"""Writes the models of answers and requests."""

import keyword
from collections.abc import Iterator

from cartrita.contract.model import (
    Constants,
    Contract,
    Definition,
    Enumeration,
    Field,
    OneOf,
    OrNull,
    Record,
    Variants,
)
from cartrita.contract.python.annotations import literal, quoted, received, sent
from cartrita.contract.python.answers import alias_of, answers_with_aliases
from cartrita.contract.python.layout import docstring, module, union

_IMPORTS = """\
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import {pydantic}

from cartrita_client.shapes import ABSENT, UNKNOWN, Event, Model, UnknownVariant, tagged
"""
_TAKEN = frozenset(
    [
        "construct",
        "copy",
        "dict",
        "from_orm",
        "json",
        "model_computed_fields",
        "model_config",
        "model_construct",
        "model_copy",
        "model_dump",
        "model_dump_json",
        "model_extra",
        "model_fields",
        "model_fields_set",
        "schema",
        "validate",
        "id_",
        "run_id_",
    ]
)
"""Names that models of pydantic use themselves."""
_EVENTS = "ChatEvent"


def models_file(contract: Contract) -> str:
    """`generated/models.py`."""
    definitions = list(contract.definitions.values())
    frames = {event.record for event in contract.events}
    parts = [
        *(_enumeration(each) for each in definitions if isinstance(each, Enumeration)),
        *(_record(each, frames) for each in definitions if isinstance(each, Record)),
        "\n",
        *(_variants(each) for each in definitions if isinstance(each, Variants)),
        *_aliases(contract),
        _event_names(contract),
    ]
    used = ["Discriminator", *(["Field"] if "Field(" in "".join(parts) else []), "Tag"]
    imports = _IMPORTS.replace("{pydantic}", ", ".join(used))
    return module("What the API is sent and answers.", imports, parts)


def _enumeration(found: Enumeration) -> str:
    values = list(map(quoted, found.values))
    opened = " | str" if found.received else ""
    flat = f"{found.name}: TypeAlias = Literal[{', '.join(values)}]{opened}\n"
    if len(flat) > 101:
        lines = "".join(f"    {each},\n" for each in values)
        flat = f"{found.name}: TypeAlias = (\n    Literal[\n"
        flat += "".join(f"    {line}\n" for line in lines.splitlines())
        flat += "    ]\n    | str\n)\n" if opened else ""
        if not opened:
            flat = f"{found.name}: TypeAlias = Literal[\n{lines}]\n"
    return f"\n{flat}" + docstring(found.description, "")


def _record(found: Record, frames: set[str]) -> str:
    base = "Event" if found.name in frames else "Model"
    text = f"\n\nclass {found.name}({base}):\n" + docstring(found.description, "    ")
    fields = "".join(_field(each, found.received) for each in found.fields)
    return text + (f"\n{fields}" if fields else "")


def _field(field: Field, answered: bool) -> str:
    name = f"{field.name}_" if _is_taken(field.name) else field.name
    alias = "" if name == field.name else quoted(field.name)
    annotation = _annotation(field, answered)
    line = _with_default(name, annotation, _default(field, answered), alias)
    return line + (docstring(field.description, "    ") if field.description else "")


def _with_default(name: str, annotation: str, default: str, alias: str) -> str:
    if alias:
        given = f"default={default}, alias={alias}" if default else f"alias={alias}"
        return f"    {name}: {annotation} = Field({given})\n"
    head = f"    {name}: {annotation}"
    return f"{head} = {default}\n" if default else f"{head}\n"


def _annotation(field: Field, answered: bool) -> str:
    tag = field.type
    if answered and isinstance(tag, Constants) and len(tag.values) == 1:
        return literal(tag.values)
    text = received(field.type) if answered else sent(field.type)
    nullable = isinstance(field.type, OrNull) or text == "Any"
    return text if field.required or nullable or _plain_default(field) else f"{text} | None"


def _plain_default(field: Field) -> bool:
    return isinstance(field.default, bool | int | float | str)


def _default(field: Field, answered: bool) -> str:
    if isinstance(field.type, Constants) and len(field.type.values) == 1:
        return quoted(field.type.values[0])
    if field.required:
        return "ABSENT" if answered else ""
    if isinstance(field.default, str):
        return quoted(field.default)
    return repr(field.default) if _plain_default(field) else "None"


def _is_taken(name: str) -> bool:
    return keyword.iskeyword(name) or name in _TAKEN or not name.isidentifier()


def _variants(found: Variants) -> str:
    records = [record for _, record in found.members]
    if found.name == _EVENTS:
        return (
            "\n"
            + union("", f"{found.name}: TypeAlias = ", records)
            + docstring(found.description, "")
        )
    tags = ", ".join(quoted(tag) for tag, _ in found.members)
    lines = "".join(
        f"{'| ' if number else ''}Annotated[{record}, Tag({quoted(tag)})]\n"
        for number, (tag, record) in enumerate(found.members)
    )
    unknown = "| Annotated[UnknownVariant, Tag(UNKNOWN)]"
    body = "".join(f"    {line}\n" for line in f"{lines}{unknown}".splitlines())
    chosen = f"    Discriminator(tagged({quoted(found.tag)}, frozenset({{{tags}}}))),\n"
    if len(chosen) > 101:
        inner = "".join(f"            {quoted(tag)},\n" for tag, _ in found.members)
        chosen = f"    Discriminator(\n        tagged(\n            {quoted(found.tag)},\n"
        chosen += "            frozenset(\n                {\n"
        chosen += "".join(f"        {line}\n" for line in inner.splitlines())
        chosen += "                }\n            ),\n        )\n    ),\n"
    return f"\n{found.name}: TypeAlias = Annotated[\n{body.rstrip()},\n{chosen}]\n" + docstring(
        found.description, ""
    )


def _aliases(contract: Contract) -> Iterator[str]:
    """Names for the answers that are one of several types."""
    for operation, answer in answers_with_aliases(contract):
        options = answer.options if isinstance(answer, OneOf) else (answer,)
        names = [received(each) for each in options]
        yield "\n" + union("", f"{alias_of(operation)}: TypeAlias = ", names)


def _event_names(contract: Contract) -> str:
    rows = "".join(f"    {quoted(each.name)}: {quoted(each.record)},\n" for each in contract.events)
    return (
        f"\nEVENTS: dict[str, str] = {{\n{rows}}}\n" + '"""Each event\'s class, by its name."""\n'
    )


def definition_names(contract: Contract) -> list[str]:
    """What the file defines, for those who import it."""
    return [each.name for each in contract.definitions.values() if _is_public(each)]


def _is_public(found: Definition) -> bool:
    return found.received or found.sent

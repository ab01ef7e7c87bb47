"""The types of what is sent and answered."""

from collections.abc import Iterator
from typing import Final, assert_never

from cartrita.contract.model import (
    BodyFormat,
    Constants,
    Contract,
    Definition,
    Enumeration,
    Field,
    ListOf,
    MapOf,
    Named,
    OneOf,
    Operation,
    OrNull,
    Parameter,
    Plain,
    Record,
    Scalar,
    Socket,
    Type,
    Variants,
)
from cartrita.contract.typescript.texts import HEADER, comment, key, literal, pascal, union

_SCALARS: Final = {
    Scalar.TEXT: "string",
    Scalar.MOMENT: "string",
    Scalar.UUID: "string",
    Scalar.INTEGER: "number",
    Scalar.NUMBER: "number",
    Scalar.BOOLEAN: "boolean",
    Scalar.BYTES: "Blob",
    Scalar.ANY: "unknown",
}


def types_file(contract: Contract) -> str:
    """Every definition, the queries of operations, and the frames of sockets."""
    parts = [_definition(each) for each in contract.definitions.values()]
    parts += [_query(each) for each in contract.operations if each.query]
    parts += [_form_fields(each) for each in contract.operations if fields_name(each)]
    parts += [text for socket in contract.sockets for text in _frames(socket)]
    return HEADER + "\n" + "\n".join(parts)


def type_text(kind: Type) -> str:
    """A type as it stands after a colon."""
    match kind:
        case Plain(scalar):
            return _SCALARS[scalar]
        case Constants(values):
            return union(literal(each) for each in values)
        case ListOf(items):
            inner = type_text(items)
            return f"readonly ({inner})[]" if "|" in inner else f"readonly {inner}[]"
        case MapOf(values):
            return f"Readonly<Record<string, {type_text(values)}>>"
        case Named(name):
            return name
        case OrNull(of):
            return f"{type_text(of)} | null"
        case OneOf(options):
            return union(type_text(each) for each in options)
        case _:
            assert_never(kind)


def query_name(operation: Operation) -> str:
    """What the type of an operation's query is called."""
    return f"{pascal(operation.id)}Query"


def fields_name(operation: Operation) -> str:
    """What the type of a form's fields is called, where there are several besides its files."""
    body = operation.body
    if body is None or body.format is not BodyFormat.FORM:
        return ""
    several = sum(not is_file(each) for each in body.fields) > 1
    return f"{pascal(operation.id)}Fields" if several else ""


def is_file(field: Field) -> bool:
    """Whether a field of a form is a file, or several."""
    return field.type in (Plain(Scalar.BYTES), ListOf(Plain(Scalar.BYTES)))


def _definition(found: Definition) -> str:
    described = comment(found.description)
    match found:
        case Record():
            members = "".join(_member(each) for each in found.fields)
            return f"{described}export interface {found.name} {{\n{members}}}\n"
        case Enumeration():
            values = union(literal(each) for each in found.values)
            return f"{described}export type {found.name} = {values};\n"
        case Variants():
            members = union(name for _, name in found.members)
            return f"{described}export type {found.name} = {members};\n"
        case _:
            assert_never(found)


def _member(member: Field | Parameter) -> str:
    text = type_text(member.type)
    optional = "" if member.required else "?"
    absent = "" if member.required else " | undefined"
    said = comment(member.description, "  ")
    return f"{said}  readonly {key(member.name)}{optional}: {text}{absent};\n"


def _query(operation: Operation) -> str:
    members = "".join(_member(each) for each in operation.query)
    said = f"/** The query of `{operation.id}`. */\n"
    return f"{said}export interface {query_name(operation)} {{\n{members}}}\n"


def _form_fields(operation: Operation) -> str:
    fields = operation.body.fields if operation.body else ()
    members = "".join(_member(each) for each in fields if not is_file(each))
    said = f"/** The fields of the form of `{operation.id}`, besides its files. */\n"
    return f"{said}export interface {fields_name(operation)} {{\n{members}}}\n"


def _frames(socket: Socket) -> Iterator[str]:
    """The socket of chats was there first: its frames have no name before theirs."""
    named = "" if socket.id == "chat" else pascal(socket.id)
    sent = union(name for _, name in socket.sent)
    events = f"({socket.events} & {socket.place} & Partial<{socket.end_place}>)"
    received = union([*(name for _, name in socket.received), events, socket.refusal])
    said = f"on `{socket.path}`. */\nexport type {named}"
    yield f"/** What is sent {said}ClientFrame = {sent};\n"
    yield f"/** What comes {said}ServerFrame = {received};\n"

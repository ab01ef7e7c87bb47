"""How a type of the contract is written in Python."""

from cartrita.contract.model import (
    Constants,
    ListOf,
    MapOf,
    Named,
    OneOf,
    OrNull,
    Plain,
    Scalar,
    Type,
)

_SCALARS = {
    Scalar.TEXT: "str",
    Scalar.INTEGER: "int",
    Scalar.NUMBER: "float",
    Scalar.BOOLEAN: "bool",
    Scalar.MOMENT: "datetime",
    Scalar.UUID: "str",
    Scalar.BYTES: "bytes",
    Scalar.ANY: "Any",
}


def received(found: Type) -> str:
    """The annotation of what a server sends; its constants are open to those of newer servers."""
    match found:
        case Constants():
            return f"{literal(found.values)} | str"
        case Plain():
            return _SCALARS[found.scalar]
        case ListOf():
            return f"list[{received(found.items)}]"
        case MapOf():
            return f"dict[str, {received(found.values)}]"
        case Named():
            return found.name
        case OrNull():
            return _or_none(received(found.of))
        case OneOf():
            return " | ".join(dict.fromkeys(map(received, found.options)))


def sent(found: Type, module: str = "") -> str:
    """The annotation of what a caller gives: a record may be a mapping, a list any sequence."""
    match found:
        case Constants():
            return literal(found.values)
        case Plain():
            return "FileInput" if found.scalar is Scalar.BYTES else _SCALARS[found.scalar]
        case ListOf():
            return f"Sequence[{sent(found.items, module)}]"
        case MapOf():
            return f"Mapping[str, {sent(found.values, module)}]"
        case Named():
            return f"{module}{found.name}"
        case OrNull():
            return _or_none(sent(found.of, module))
        case OneOf():
            return " | ".join(dict.fromkeys(sent(each, module) for each in found.options))


def literal(values: tuple[str, ...]) -> str:
    """One of these texts."""
    return f"Literal[{', '.join(map(quoted, values))}]"


def quoted(text: str) -> str:
    """A text in double quotes, as formatters want it."""
    return '"' + repr("'" + text)[2:-1].replace('"', '\\"') + '"'


def _or_none(annotation: str) -> str:
    return annotation if annotation == "Any" else f"{annotation} | None"

"""How generated Python is laid out: as a formatter would, so that it changes nothing."""

import textwrap
from collections.abc import Iterable, Iterator

WIDTH = 100
NOTICE = "# Generated from the contract by `cartrita contract`: do not edit.\n"


def module(docstring: str, imports: str, parts: Iterable[str]) -> str:
    """A whole file."""
    head = f'{NOTICE}"""{docstring}"""\n\nfrom __future__ import annotations\n'
    body = "".join(parts)
    return f"{head}\n{imports.strip()}\n{body}".rstrip("\n") + "\n"


def docstring(text: str, indent: str) -> str:
    """A docstring, with its lines wrapped."""
    lines = list(_wrapped(text.strip() or "Nothing is said of it.", indent))
    safe = [line.replace("\\", "\\\\").replace('"""', "'''") for line in lines]
    if len(safe) == 1 and len(indent) + len(safe[0]) + 6 <= WIDTH:
        return f'{indent}"""{safe[0]}"""\n'
    body = "\n".join(f"{indent}{line}".rstrip() for line in safe[1:])
    return f'{indent}"""{safe[0]}\n' + (f"{body}\n" if body else "") + f'{indent}"""\n'


def _wrapped(text: str, indent: str) -> Iterator[str]:
    for number, paragraph in enumerate(text.split("\n\n")):
        if number:
            yield ""
        for line in paragraph.split("\n"):
            hanging = line[: len(line) - len(line.lstrip())] + "    " if line[:4] == "    " else ""
            room = WIDTH - len(indent) - (3 if number else 6)
            yield from textwrap.wrap(
                line,
                room,
                subsequent_indent=hanging,
                break_long_words=False,
                break_on_hyphens=False,
            )


def union(indent: str, head: str, options: list[str], tail: str = "") -> str:
    """`head` with `A | B`, in one line if it fits."""
    flat = f"{indent}{head}{' | '.join(options)}{tail}\n"
    if len(flat) <= WIDTH + 1:
        return flat
    inner = f"\n{indent}    | ".join(options)
    return f"{indent}{head}(\n{indent}    {inner}\n{indent}){tail}\n"


def called(indent: str, head: str, arguments: list[str], tail: str = ")") -> str:
    """A call or a signature: in one line, its arguments in one, or each in one of its own."""
    flat = f"{indent}{head}{', '.join(arguments)}{tail}\n"
    if len(flat) <= WIDTH + 1:
        return flat
    inner = ", ".join(arguments)
    if len(indent) + 4 + len(inner) <= WIDTH:
        return f"{indent}{head}\n{indent}    {inner}\n{indent}{tail}\n"
    lines = "".join(_argument(indent + "    ", each) for each in arguments)
    return f"{indent}{head}\n{lines}{indent}{tail}\n"


def _argument(indent: str, argument: str) -> str:
    """An argument in a line of its own; a mapping that is too long for it, in several."""
    flat = f"{indent}{argument},\n"
    if len(flat) <= WIDTH + 1 or not argument.endswith("}"):
        return flat
    head, _, pairs = argument.removesuffix("}").partition("{")
    rows = "".join(f"{indent}    {pair},\n" for pair in pairs.split(", "))
    return f"{indent}{head}{{\n{rows}{indent}}},\n"

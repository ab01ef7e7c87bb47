"""Writes one error class for each kind."""

from cartrita.contract.model import Contract, ErrorKind
from cartrita.contract.python.annotations import quoted
from cartrita.contract.python.layout import docstring, module

_IMPORTS = "from cartrita_client.errors import CartritaApiError\n"
_LOOKUP = '''

def class_of(status: int | None, code: str) -> type[CartritaApiError]:
    """The class of an error: its code says so, and else its status does."""
    return BY_CODE.get(code) or BY_STATUS.get(status or 0, CartritaApiError)
'''


def errors_file(contract: Contract) -> str:
    """`generated/errors.py`."""
    kinds = contract.error_kinds
    by_code = [(quoted(code), class_name(each)) for each in kinds for code in each.codes]
    by_status: dict[str, str] = {}
    for each in kinds:
        for status in each.statuses:
            by_status.setdefault(str(status), class_name(each))
    parts = [
        *map(_class, kinds),
        _table("BY_CODE: dict[str, type[CartritaApiError]]", by_code),
        _table("BY_STATUS: dict[int, type[CartritaApiError]]", list(by_status.items())),
        _table(
            "KINDS: dict[str, type[CartritaApiError]]",
            [(quoted(k.name), class_name(k)) for k in kinds],
        ),
        _LOOKUP,
    ]
    return module("The errors of the API, one class for each kind.", _IMPORTS, parts)


def class_name(kind: ErrorKind) -> str:
    """`rate_limited` is RateLimited."""
    return "".join(map(str.capitalize, kind.name.split("_")))


def _class(kind: ErrorKind) -> str:
    lines = [f"\n\nclass {class_name(kind)}(CartritaApiError):\n", docstring(kind.sentence, "    ")]
    lines.append(f"\n    kind = {quoted(kind.name)}\n")
    if kind.retryable:
        lines.append("    passes = True\n")
    if kind.lasting:
        codes = "".join(f"            {quoted(code)},\n" for code in kind.lasting)
        lines.append(f"    lasting = frozenset(\n        {{\n{codes}        }}\n    )\n")
    return "".join(lines)


def _table(head: str, rows: list[tuple[str, str]]) -> str:
    body = "".join(f"    {key}: {value},\n" for key, value in rows)
    gap = "\n\n" if head.startswith("BY_CODE") else "\n"
    return f"{gap}{head} = {{\n{body}}}\n"

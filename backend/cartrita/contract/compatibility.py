"""Whether one type takes all values of another."""

from cartrita.contract.model import (
    Constants,
    ListOf,
    MapOf,
    OneOf,
    OrNull,
    Plain,
    Scalar,
    Type,
)

_TEXTS = frozenset({Scalar.MOMENT, Scalar.UUID})


def takes(wide: Type, narrow: Type) -> bool:
    """Whether all values of `narrow` are values of `wide`, as far as their shapes tell."""
    if wide in (narrow, Plain(Scalar.ANY)):
        return True
    if isinstance(narrow, OneOf):
        return all(takes(wide, option) for option in narrow.options)
    if isinstance(narrow, OrNull):
        return isinstance(wide, OrNull) and takes(wide.of, narrow.of)
    if isinstance(wide, OrNull):
        return takes(wide.of, narrow)
    if isinstance(wide, OneOf):
        return any(takes(option, narrow) for option in wide.options)
    return _takes_one(wide, narrow)


def _takes_one(wide: Type, narrow: Type) -> bool:
    match wide, narrow:
        case Constants(), Constants():
            return set(narrow.values) <= set(wide.values)
        case Plain(Scalar.TEXT), Constants():
            return True
        case Plain(Scalar.TEXT), Plain(scalar):
            return scalar in _TEXTS
        case Plain(Scalar.NUMBER), Plain(Scalar.INTEGER):
            return True
        case (ListOf(outer), ListOf(inner)) | (MapOf(outer), MapOf(inner)):
            return takes(outer, inner)
        case _:
            return False

"""Receipts: what the translation of a request or an answer could not carry over exactly."""

from typing import Literal

import msgspec

from cartrita.domain.errors import InvalidInput


class Receipt(msgspec.Struct, frozen=True, rename={"source": "from", "target": "to"}):
    """One loss. `field` names it in the words of the caller's dialect, such as `logit_bias`.

    `source` and `target` are dialects. An approximated field still has an effect, a dropped one has
    none; `why` is a sentence.
    """

    field: str
    source: str
    target: str
    kind: Literal["approximated", "dropped"]
    why: str


def require_exact(receipts: tuple[Receipt, ...]) -> None:
    """Refuse what cannot be translated exactly: strict mode. Raises InvalidInput."""
    if not receipts:
        return
    raise InvalidInput(
        f"{receipts[0].field}: {receipts[0].why} Without X-Cartrita-Strict it would be done so.",
        fields={receipt.field: [receipt.why] for receipt in receipts},
        code="not_translatable",
    )

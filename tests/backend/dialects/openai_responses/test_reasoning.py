"""Sealed reasoning comes back from clients as it went to them, whoever sealed it."""

import pytest

from cartrita.dialects.openai_responses.reasoning import Seal, unwrap, wrap
from cartrita.domain.messages import Reasoning

OWN = "openai_responses"


@pytest.mark.parametrize(
    ("part", "item_id"),
    [
        (Reasoning("hm", "sig", None, "anthropic_messages"), "rs_1"),
        (Reasoning("", None, "gAAA", "anthropic_messages", "x"), "rs_1"),
        (Reasoning("", None, "gAAA", OWN, "rs_theirs"), "rs_1"),
        (Reasoning("", None, "gAAA", OWN, "rs_1"), "rs_1"),
    ],
)
def test_what_is_wrapped_is_unwrapped(part: Reasoning, item_id: str) -> None:
    seal = Seal(part.origin, part.signature, part.encrypted, part.id)
    assert unwrap(wrap(part, item_id), item_id) == seal


def test_openais_own_is_not_wrapped_under_its_own_id() -> None:
    assert wrap(Reasoning("", None, "gAAA", OWN, "rs_1"), "rs_1") == "gAAA"


def test_what_has_no_seal_has_nothing_to_wrap() -> None:
    assert wrap(Reasoning("hm"), "rs_1") is None
    assert unwrap(None, "rs_1") == Seal()


@pytest.mark.parametrize("changed", ["cartrita:?", "cartrita:QQ=="])
def test_what_was_changed_is_refused(changed: str) -> None:
    with pytest.raises(ValueError, match="as it was sent"):
        unwrap(changed, "rs_1")

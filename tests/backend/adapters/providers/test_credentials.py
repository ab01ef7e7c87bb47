"""Which keys a bearer credential accepts, and the header that it makes of them."""

import pytest

from cartrita.adapters.providers.credentials import Bearer
from cartrita.kit.secret import Secret


@pytest.mark.parametrize("key", ["", "  ", "a\nb", "schlüssel", "a\0"])
def test_a_key_that_no_header_can_carry(key: str) -> None:
    with pytest.raises(ValueError, match="printable"):
        Bearer(Secret(key))


async def test_blanks_around_a_key_are_not_part_of_it() -> None:
    bearer = Bearer(Secret(" sk-1\n"))
    assert (await bearer.headers())["Authorization"].reveal() == "Bearer sk-1"
    assert "sk-1" not in repr(await bearer.headers())

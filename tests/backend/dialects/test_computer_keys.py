"""The names of keys, however they were written."""

import pytest
from hypothesis import given
from tests.backend.dialects.actions import some_keys
from tests.backend.examples import examples

from cartrita.dialects.computer_keys import chord, key_name, written_chord


@pytest.mark.parametrize(
    ("written", "keys"),
    [
        ("ctrl+s", ("ctrl", "s")),
        ("CTRL + Shift+T", ("ctrl", "shift", "T")),
        ("Return", ("Return",)),
        ("ENTER", ("Return",)),
        ("arrowleft", ("Left",)),
        ("Page_Up", ("Page_Up",)),
        ("pgdn", ("Page_Down",)),
        ("+", ("plus",)),
        ("ctrl++", ("ctrl", "plus")),
        ("ctrl+plus", ("ctrl", "plus")),
        (" ", ("space",)),
        ("f11", ("F11",)),
        ("cmd+ä", ("super", "ä")),
        ("Hyper_X", ("Hyper_X",)),
    ],
)
def test_a_chord_is_read(written: str, keys: tuple[str, ...]) -> None:
    assert chord(written) == keys


@pytest.mark.parametrize("written", ["", "  ", "ctrl+", "+ctrl+s", "ctrl+ +s"])
def test_what_names_no_key_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="names no key"):
        chord(written)


@examples
@given(some_keys)
def test_a_chord_that_is_written_is_read_again(keys: tuple[str, ...]) -> None:
    assert chord(written_chord(keys)) == keys


@examples
@given(some_keys)
def test_names_stay_what_they_are(keys: tuple[str, ...]) -> None:
    assert tuple(map(key_name, keys)) == keys

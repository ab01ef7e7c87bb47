"""Symbols are found on the keys that bear them, and keys to spare are none that anybody needs."""

from hypothesis import given
from hypothesis import strategies as st
from tests.backend.examples import examples
from Xlib import XK

from cartrita.adapters.desktop.host.driver.key_map import KeyMap

_A, _S, _SHIFT, _CTRL, _NOTHING, _MAIL, _MODIFIES = 38, 39, 50, 37, 93, 163, 204
_MAIL_SYMBOL = 0x1008FF19
_KEYBOARD = {
    _A: (ord("a"), ord("A"), ord("a")),
    _S: (ord("s"), ord("S")),
    _SHIFT: (XK.XK_Shift_L, 0),
    _CTRL: (XK.XK_Control_L, 0),
    _NOTHING: (0, 0),
    _MAIL: (_MAIL_SYMBOL, 0),
    _MODIFIES: (0, 0),
    210: (XK.XK_Shift_L, ord("s")),
}
_MODIFIERS = frozenset({_SHIFT, _CTRL, _MODIFIES})


def test_shift_is_pressed_where_it_is_needed_and_once() -> None:
    keys = KeyMap(_KEYBOARD, _MODIFIERS, {})
    assert keys.codes([ord("a")]) == (_A,)
    assert keys.codes([ord("A")]) == (_SHIFT, _A)
    assert keys.codes([XK.XK_Control_L, ord("A")]) == (_CTRL, _SHIFT, _A)
    assert keys.codes([XK.XK_Shift_L, ord("A")]) == (_SHIFT, _A)
    assert keys.codes([ord("s")]) == (_S,), "of two keys the one that needs no Shift"


def test_idle_keys_are_spare_and_keys_lent_last_are_last() -> None:
    keyboard = {**_KEYBOARD, 220: (0x1000416, 0x1000416), 221: (0x1000417, 0x1000417)}
    keys = KeyMap(keyboard, _MODIFIERS, {221: 0x1000417, 220: 0x1000416, _A: 0x1000418})
    assert keys.spare == (_NOTHING, _MAIL, 221, 220)
    assert keys.lent == {221: 0x1000417, 220: 0x1000416}, "another has taken the third"
    assert not keys.owns(0x1000416)
    assert not keys.lacks(0x1000416)
    assert keys.owns(ord("a"))
    assert keys.lacks(0x1000418)


@examples
@given(
    st.dictionaries(
        st.integers(8, 255),
        st.lists(st.sampled_from([0, 97, 65, _MAIL_SYMBOL, 0x1000416, XK.XK_Shift_L]), max_size=4),
        max_size=12,
    ),
    st.frozensets(st.integers(8, 255), max_size=12),
    st.dictionaries(st.integers(8, 255), st.sampled_from([97, 0x1000416]), max_size=12),
)
def test_no_key_of_use_is_ever_spare(
    keyboard: dict[int, list[int]], modifiers: frozenset[int], lent: dict[int, int]
) -> None:
    rows = {code: tuple(symbols) for code, symbols in keyboard.items()}
    keys = KeyMap(rows, modifiers, lent)
    assert len(set(keys.spare)) == len(keys.spare)
    for code in keys.spare:
        if code in keys.lent:
            assert lent[code] in rows[code]
        else:
            assert code not in modifiers
            assert not {97, 65, 0x1000416, XK.XK_Shift_L} & set(rows[code])

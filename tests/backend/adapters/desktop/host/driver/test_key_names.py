"""Keys are known by the names of xdotool, of browsers and of models, in any case of letters."""

from collections.abc import Callable

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from tests.backend.examples import examples
from Xlib import XK

from cartrita.adapters.desktop.host.driver import key_names
from cartrita.domain.desktop_errors import ActionRefused


@pytest.mark.parametrize(
    ("names", "symbol"),
    [
        (("Return", "enter", "ENTER", "\n"), "Return"),
        (("ctrl", "CTRL", "Control", "Control_L", "control_l"), "Control_L"),
        (("ARROWLEFT", "ArrowLeft", "Left", "left"), "Left"),
        (("Page_Up", "PAGEUP", "pgup", "Prior"), "Page_Up"),
        (("super", "META", "cmd", "win"), "Super_L"),
        (("alt", "OPTION"), "Alt_L"),
        (("esc", "ESCAPE"), "Escape"),
        (("BackSpace", "backspace", "BACKSPACE"), "BackSpace"),
        (("space", " ", "SPACE"), "space"),
        (("f5", "F5"), "F5"),
        (("a", "A"), "a"),
        (("/", "slash"), "slash"),
        (("+", "plus"), "plus"),
        (("é", "É", "eacute"), "eacute"),
        (("tab", "TAB", "\t"), "Tab"),
        (("del", "DELETE"), "Delete"),
        (("KP_Enter",), "KP_Enter"),
    ],
)
def test_one_key_has_many_names(names: tuple[str, ...], symbol: str) -> None:
    assert {key_names.keysym(name) for name in names} == {XK.string_to_keysym(symbol)}


@pytest.mark.parametrize(
    "name",
    [
        "",
        "xyz",
        "ctrl+s",
        "XK_Return",
        "Terminate_Server",
        "XF86Switch_VT_1",
        "XF86_Ungrab",
        "__name__",
        "\x03",
        "\ud800",
    ],
)
def test_what_is_no_key_is_refused_by_its_name(name: str) -> None:
    with pytest.raises(ActionRefused) as refused:
        key_names.keysym(name)
    assert refused.value.message == f'There is no key "{name}".'


@examples
@given(
    st.sampled_from(sorted(key_names._NAMED)),
    st.sampled_from([str.upper, str.lower, str.title, str.swapcase]),
)
def test_the_case_of_letters_does_not_count(name: str, case: Callable[[str], str]) -> None:
    assert key_names.keysym(case(name)) == key_names.keysym(name) > 0


@examples
@given(st.text(min_size=2))
def test_what_is_no_name_is_refused_in_a_sentence(name: str) -> None:
    assume(name.lower() not in key_names._NAMED | key_names._ALIASES)
    with pytest.raises(ActionRefused):
        key_names.keysym(name)


@examples
@given(st.characters())
def test_any_character_but_controls_has_a_symbol_of_its_own(character: str) -> None:
    found = key_names.of_character(character)
    if character in "\n\t":
        assert found in (XK.XK_Return, XK.XK_Tab)
    elif character < " " or "\x7f" <= character < "\xa0" or "\ud800" <= character < "\ue000":
        assert found is None
    else:
        assert found in (ord(character), 0x0100_0000 + ord(character))
        assert (found > 0xFF) == (character > "\xff")

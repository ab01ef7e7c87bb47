"""Actions on a desktop of all kinds, as hypothesis draws them."""

from hypothesis import strategies as st

from cartrita.domain.desktop import (
    Action,
    Area,
    Click,
    CursorPosition,
    Drag,
    HoldKey,
    Key,
    Move,
    Point,
    Press,
    Release,
    Screenshot,
    Scroll,
    Type,
    Wait,
    Zoom,
)

BUTTONS = ("left", "middle", "right", "back", "forward")
places = st.builds(Point, st.integers(0, 1279), st.integers(0, 799))
keys = st.lists(
    st.sampled_from(["ctrl", "shift", "alt", "super", "Return", "a", "Z", "F5", "plus", "Left"]),
    max_size=3,
    unique=True,
).map(tuple)
some_keys = keys.filter(bool)
seconds = st.integers(0, 1200).map(lambda quarters: quarters / 4)
texts = st.text(max_size=30).filter(lambda text: "{{" not in text)


def actions() -> st.SearchStrategy[Action]:
    """Any action that a desktop can do."""
    areas = st.builds(Area, st.integers(0, 99), st.integers(0, 99), *[st.integers(100, 700)] * 2)
    return st.one_of(
        st.just(Screenshot()),
        st.just(CursorPosition()),
        st.builds(Zoom, areas),
        st.builds(Move, places),
        st.builds(Click, st.none() | places, st.sampled_from(BUTTONS), st.integers(1, 3), keys),
        st.builds(Press, st.sampled_from(BUTTONS)),
        st.builds(Release, st.sampled_from(BUTTONS)),
        st.builds(Drag, st.lists(places, min_size=2, max_size=4).map(tuple), keys),
        st.builds(Scroll, st.integers(-99, 99), st.integers(-99, 99), st.none() | places, keys),
        st.builds(Scroll, st.integers(-99, 99), st.just(0), st.none() | places, keys),
        st.builds(Type, texts),
        st.builds(Type, st.just(""), st.sampled_from(["PIN", "my.password-1"])),
        st.builds(Key, some_keys, st.integers(1, 100)),
        st.builds(HoldKey, some_keys, seconds),
        st.builds(Wait, seconds),
    )

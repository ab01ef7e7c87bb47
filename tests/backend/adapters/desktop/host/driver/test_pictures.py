"""Pictures show each pixel as it is, the pointer where it is, and parts as large as may be."""

import io
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from tests.backend.examples import examples

from cartrita.adapters.desktop.host.driver import pictures
from cartrita.adapters.desktop.host.driver.x_server import Cursor
from cartrita.domain.desktop import Area, Point

_NONE = Cursor(Point(0, 0), Point(0, 0), 0, 0, b"")


@examples
@given(st.integers(1, 40), st.integers(1, 40), st.integers())
def test_what_a_decoder_sees_is_what_the_screen_showed(width: int, height: int, seed: int) -> None:
    pixels = random.Random(seed).randbytes(width * height * 4)
    picture = pictures.png(pictures.drawn(pixels, width, height, _NONE))
    with Image.open(io.BytesIO(picture)) as image:
        assert image.format == "PNG"
        assert image.size == (width, height)
        seen = image.convert("RGB").tobytes()
    blue, green, red = (pixels[start::4] for start in (0, 1, 2))
    assert (seen[0::3], seen[1::3], seen[2::3]) == (red, green, blue)


def test_the_pointer_is_drawn_with_its_hot_spot_on_its_place() -> None:
    half, full = bytes((0, 0, 128, 128)), bytes((0, 255, 0, 255))
    cursor = Cursor(Point(5, 4), Point(1, 1), 2, 2, half + bytes(4) + bytes(4) + full)
    picture = pictures.drawn(bytes(10 * 8 * 4), 10, 8, cursor)
    assert picture.getpixel((4, 3)) == (128, 0, 0)
    assert picture.getpixel((5, 4)) == (0, 255, 0)
    assert picture.getpixel((5, 3)) == (0, 0, 0)


@pytest.mark.parametrize("at", [Point(0, 0), Point(9, 7), Point(-30, 900)])
def test_a_pointer_that_is_half_outside_is_cut(at: Point) -> None:
    cursor = Cursor(at, Point(8, 8), 16, 16, bytes((255, 255, 255, 255)) * 256)
    assert pictures.drawn(bytes(10 * 8 * 4), 10, 8, cursor).size == (10, 8)


@examples
@given(
    st.tuples(st.integers(1, 8000), st.integers(1, 8000)),
    st.tuples(st.integers(320, 8000), st.integers(240, 8000)),
)
def test_parts_keep_their_aspect_within_the_bounds_of_vendors(
    part: tuple[int, int], whole: tuple[int, int]
) -> None:
    width, height = pictures.enlarged_size(part, whole)
    assert 1 <= width <= min(whole[0], 1568)
    assert 1 <= height <= min(whole[1], 1568)
    assert width * height <= 1_150_000
    assert abs(width * part[1] - height * part[0]) <= max(*part) or 1 in (width, height)


def test_a_part_of_a_screen_fills_its_width_or_height() -> None:
    whole = Image.new("RGB", (1280, 800))
    whole.putpixel((100, 50), (255, 0, 0))
    picture = pictures.enlarged(whole, Area(100, 50, 102, 51))
    assert picture.size == (1280, 640)
    assert picture.getpixel((0, 0)) == (255, 0, 0)
    assert picture.getpixel((1279, 639)) == (0, 0, 0)


@pytest.mark.parametrize(
    ("changed", "alike"),
    [
        (Area(50, 40, 52, 60), True),  # a cursor of text
        (Area(0, 0, 18, 100), True),  # too far away
        (Area(40, 45, 53, 58), True),  # one that is a block
        (Area(40, 45, 54, 58), False),  # an icon
        (Area(80, 50, 200, 66), False),  # reaches in from the right
    ],
)
@pytest.mark.parametrize("shade", [127, 8])
def test_screens_are_alike_around_a_place_but_for_a_cursor_of_text(
    changed: Area, alike: bool, shade: int
) -> None:
    width, height = 200, 100
    one = bytearray(b"\x80\x80\x80\0" * (width * height))
    other = bytearray(one)
    for row in range(changed.top, changed.bottom):
        start, end = (4 * (row * width + column) for column in (changed.left, changed.right))
        other[start:end] = bytes((128, 128, 128 ^ shade, 0)) * ((end - start) // 4)
    assert pictures.alike(one, other, (width, height), Point(52, 50)) is alike
    assert pictures.alike(one, bytes(one), (width, height), Point(0, 99))


def test_letters_that_become_others_are_no_cursor() -> None:
    white = bytearray(b"\xff" * (4 * 64 * 32))
    written = bytearray(white)
    for row in range(10, 23, 2):
        start = 4 * (64 * row + 20)
        written[start : start + 4 * 13] = bytes(4 * 13)
    assert not pictures.alike(white, written, (64, 32), Point(32, 16))

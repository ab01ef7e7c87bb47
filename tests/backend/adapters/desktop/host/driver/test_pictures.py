"""Pictures show each pixel as it is, the pointer where it is, and parts as large as may be."""

import io
import random
from itertools import combinations
from string import digits

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFont
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


def _written(text: str, size: int) -> bytes:
    """The pixels of 160 x 60 with a text below 40, 20."""
    picture = Image.new("RGB", (160, 60), (240, 240, 240))
    font = ImageFont.load_default(size)
    ImageDraw.Draw(picture).text((40, 20), text, fill=(0, 0, 0), font=font)
    return picture.convert("RGBA").tobytes("raw", "BGRA")


@pytest.mark.parametrize("size", range(11, 17))
def test_a_letter_that_becomes_another_is_a_change(size: int) -> None:
    amounts = [(f"Pay ${one}00", f"Pay ${other}00") for one, other in combinations(digits, 2)]
    for one, other in (
        *amounts,
        ("- 10", "+ 10"),
        ("1.00", "1,00"),
        ("Wil", "Will"),
        ("On", "Off"),
    ):
        shown, now = _written(one, size), _written(other, size)
        assert not pictures.alike(shown, now, (160, 60), Point(60, 30)), (one, other)
        assert pictures.alike(shown, shown, (160, 60), Point(60, 30))


@pytest.mark.parametrize(
    ("at", "alike"),
    [
        (Point(100, 40), False),
        (Point(20, 40), True),
        (Point(21, 40), False),
        (Point(180, 40), False),
        (Point(181, 40), True),
        (Point(100, 24), True),
        (Point(100, 25), False),
        (Point(100, 56), False),
        (Point(100, 57), True),
    ],
)
def test_each_pixel_around_a_place_is_compared(at: Point, *, alike: bool) -> None:
    size = width, _ = 190, 60
    shown = bytes(width * 60 * 4)
    now = bytearray(shown)
    now[4 * (40 * width + 100)] = 1
    assert pictures.alike(shown, now, size, at) is alike

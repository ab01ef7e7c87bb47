"""What of a viewer's messages reaches the display: input by leave alone, and nothing unknown."""

import random
import struct

import pytest

from cartrita.adapters.desktop.host.driving import KeyInput, PointerInput
from cartrita.adapters.desktop.host.rfb import BadMessage, ClientMessages
from cartrita.domain.desktop import Point

GREETING = b"RFB 003.008\n" + b"\1" + b"\0"
PASSED_GREETING = b"RFB 003.008\n" + b"\1" + b"\1"
FORMAT = b"\0" + bytes(19)
REQUEST = b"\3" + bytes(9)
KEY = struct.pack(">BBxxI", 4, 1, 0x61)
PRESSED = KeyInput(0x61, down=True)
POINTED = PointerInput(Point(100, 200), 1)
POINTER = struct.pack(">BBHH", 5, 1, 100, 200)
CUT = struct.pack(">BxxxI", 6, 5) + b"hello"
ENCODINGS = struct.pack(">BxH3i", 2, 3, 7, -239, -309)
KNOWN_ENCODINGS = struct.pack(">BxH2i", 2, 2, 7, -239)
HARMLESS = FORMAT + REQUEST + ENCODINGS
PASSED_HARMLESS = FORMAT + REQUEST + KNOWN_ENCODINGS


def test_without_the_control_only_what_shows_the_screen_passes() -> None:
    messages = ClientMessages(lambda: False)
    said = GREETING + KEY + FORMAT + POINTER + REQUEST + CUT + ENCODINGS + KEY
    assert messages.read(said) == (PASSED_GREETING + PASSED_HARMLESS, ())


def test_with_it_input_is_told_and_cut_text_passes_unchanged() -> None:
    messages = ClientMessages(lambda: True)
    said = messages.read(GREETING + KEY + POINTER + CUT)
    assert said == (PASSED_GREETING + CUT, (PRESSED, POINTED))


def test_the_control_is_asked_for_with_each_message() -> None:
    has = [True, False, True]
    messages = ClientMessages(lambda: has.pop(0))
    messages.read(GREETING)
    assert [messages.read(KEY).input for _ in range(3)] == [(PRESSED,), (), (PRESSED,)]


@pytest.mark.parametrize("seed", range(5))
def test_pieces_of_any_size_are_the_same_messages(seed: int) -> None:
    chance = random.Random(seed)
    kinds = [FORMAT, REQUEST, KEY, POINTER, CUT, ENCODINGS]
    for _ in range(10):
        said = GREETING + b"".join(chance.choices(kinds, k=30))
        whole = ClientMessages(lambda: True).read(said)
        messages, out, told = ClientMessages(lambda: True), b"", ()
        while said:
            size = chance.randint(1, 40)
            passed, more = messages.read(said[:size])
            out, told = out + passed, told + more
            said = said[size:]
        assert (out, told) == whole


@pytest.mark.parametrize("kind", [1, *range(7, 256)])
def test_a_message_of_an_unknown_type_ends_the_viewer(kind: int) -> None:
    messages = ClientMessages(lambda: True)
    messages.read(GREETING)
    with pytest.raises(BadMessage):
        messages.read(bytes([kind]))


@pytest.mark.parametrize(
    "said",
    [
        b"RFB 003.003\n",
        b"GET / HTTP/1",
        b"RFB 003.008\n\2",
        GREETING + struct.pack(">BxH", 2, 257),
        GREETING + struct.pack(">Bxxxi", 6, -5),
        GREETING + struct.pack(">BxxxI", 6, (256 << 10) + 1),
        GREETING + struct.pack(">BxxxI", 6, 0xFFFFFFFF),
    ],
)
def test_what_no_viewer_says_ends_it(said: bytes) -> None:
    with pytest.raises(BadMessage):
        ClientMessages(lambda: True).read(said)


def test_input_cannot_hide_in_the_text_of_a_cut() -> None:
    messages = ClientMessages(lambda: False)
    messages.read(GREETING)
    hidden = struct.pack(">BxxxI", 6, len(KEY)) + KEY
    assert messages.read(hidden + REQUEST) == (REQUEST, ())

"""What of a viewer's messages reaches the display: input by leave alone, and nothing unknown."""

import random
import struct

import pytest

from cartrita.adapters.desktop.host.rfb import BadMessage, ClientMessages

GREETING = b"RFB 003.008\n" + b"\1" + b"\0"
PASSED_GREETING = b"RFB 003.008\n" + b"\1" + b"\1"
FORMAT = b"\0" + bytes(19)
REQUEST = b"\3" + bytes(9)
KEY = struct.pack(">BBxxI", 4, 1, 0x61)
POINTER = struct.pack(">BBHH", 5, 1, 100, 200)
CUT = struct.pack(">BxxxI", 6, 5) + b"hello"
ENCODINGS = struct.pack(">BxH3i", 2, 3, 7, -239, -309)
KNOWN_ENCODINGS = struct.pack(">BxH2i", 2, 2, 7, -239)
HARMLESS = FORMAT + REQUEST + ENCODINGS
PASSED_HARMLESS = FORMAT + REQUEST + KNOWN_ENCODINGS


def test_without_the_control_only_what_shows_the_screen_passes() -> None:
    messages = ClientMessages(lambda: False)
    said = GREETING + KEY + FORMAT + POINTER + REQUEST + CUT + ENCODINGS + KEY
    assert messages.passed(said) == PASSED_GREETING + PASSED_HARMLESS


def test_with_it_input_passes_unchanged() -> None:
    messages = ClientMessages(lambda: True)
    assert messages.passed(GREETING + KEY + POINTER + CUT) == PASSED_GREETING + KEY + POINTER + CUT


def test_the_control_is_asked_for_with_each_message() -> None:
    has = [True, False, True]
    messages = ClientMessages(lambda: has.pop(0))
    messages.passed(GREETING)
    assert [messages.passed(KEY) for _ in range(3)] == [KEY, b"", KEY]


@pytest.mark.parametrize("seed", range(5))
def test_pieces_of_any_size_are_the_same_messages(seed: int) -> None:
    chance = random.Random(seed)
    kinds = [FORMAT, REQUEST, KEY, POINTER, CUT, ENCODINGS]
    for _ in range(10):
        said = GREETING + b"".join(chance.choices(kinds, k=30))
        whole = ClientMessages(lambda: False).passed(said)
        messages, out = ClientMessages(lambda: False), b""
        while said:
            size = chance.randint(1, 40)
            out += messages.passed(said[:size])
            said = said[size:]
        assert out == whole
        assert KEY not in out


@pytest.mark.parametrize("kind", [1, *range(7, 256)])
def test_a_message_of_an_unknown_type_ends_the_viewer(kind: int) -> None:
    messages = ClientMessages(lambda: True)
    messages.passed(GREETING)
    with pytest.raises(BadMessage):
        messages.passed(bytes([kind]))


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
        ClientMessages(lambda: True).passed(said)


def test_input_cannot_hide_in_the_text_of_a_cut() -> None:
    messages = ClientMessages(lambda: False)
    messages.passed(GREETING)
    hidden = struct.pack(">BxxxI", 6, len(KEY)) + KEY
    assert messages.passed(hidden + REQUEST) == REQUEST

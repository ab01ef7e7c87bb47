"""Of a relayed answer only the field that tells the model changes, where it tells the sent name."""

import pytest

from cartrita.dialects.relayed_names import RenamedEvents, ToldName, find_in_frame, in_body
from cartrita.domain.relays import ModelNames

NAMES = ModelNames("p/größe", "m/x")


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ('{"model":"m/x","a":1e5}', '{"model":"p/größe","a":1e5}'),
        (
            ' {"a" : {"model":"m/x"} ,\n"model" :"m/x"}\n',
            ' {"a" : {"model":"m/x"} ,\n"model" :"p/größe"}\n',
        ),
        ('{"mod\\u0065l": "m\\/x", "\\"": "}"}', '{"mod\\u0065l": "p/größe", "\\"": "}"}'),
        (
            '{"a":{"model":"m/x"},"mod\\u0065l":"m/x"}',
            '{"a":{"model":"m/x"},"mod\\u0065l":"p/größe"}',
        ),
        ('{"a":["model"],"model":"m/x"}', '{"a":["model"],"model":"p/größe"}'),
        ('{"model":"m\\/x"}', '{"model":"p/größe"}'),
    ],
)
def test_the_sent_name_becomes_the_asked_one(body: str, told: str) -> None:
    assert in_body(body.encode(), NAMES).decode() == told
    assert in_body(body.encode(), None).decode() == body


@pytest.mark.parametrize(
    "body",
    [
        b'{"model":"m/x-2026","text":"m/x"}',
        b'{"model":["m/x"]}',
        b'{"model":null}',
        b'{"a":{"model":"m/x"},"text":"\\"model\\":\\"m/x\\""}',
        b'{"model":"m/x","model":"m/x"}',
        b'[{"model":"m/x"}]',
        b'{"model":"m/x"',
        b'{"model":"m/x"}{}',
        b"[" * 2000,
        b"",
    ],
)
def test_all_else_stays(body: bytes) -> None:
    assert in_body(body, NAMES) == body


@pytest.mark.parametrize(
    "frame",
    [
        b'data: {"r":{"model":"m/x"}}\n\n',
        b'data:{"r":{"model":"m/x"}}\n\n',
        b'event: "model":"m/x"\r\nid: 1\r\ndata: {"r":{"model":"m/x"}}\r\n\r\n',
        b'event: a\rdata: {"r":\rdata\rdata: {"model":"m/x"}}\r\r',
        b'\xef\xbb\xbfdata: {"r":{"a":"data: {}",\n: data: comment\ndata: "model":"m/x"}}\nid\n\n',
    ],
)
def test_the_data_of_a_frame_is_read_however_it_is_written(frame: bytes) -> None:
    start = frame.rindex(b'"m/x"')
    assert find_in_frame(frame, "r", "model") == ToldName(start, start + 5, "m/x")


@pytest.mark.parametrize(
    "frame",
    [
        b'datas: {"r":{"model":"m/x"}}\n\n',
        b': data: {"r":{"model":"m/x"}}\n\n',
        b'data: {"r":"m/x"}\n\n',
        b'data: {"model":"m/x"}\n\n',
        b"data: [DONE]\n\n",
        b"\n",
    ],
)
def test_a_frame_without_the_field(frame: bytes) -> None:
    assert find_in_frame(frame, "r", "model") is None


def test_only_marked_events_are_read() -> None:
    renamed = RenamedEvents(ModelNames("p/m", "m"), b'"r"', "r", "model")
    one, two = b'data: {"r":{"model":"m"}}\n\n', b'data: {"s":{"model":"m"}}\r\n\r\n'
    assert renamed.feed(two) == two
    assert renamed.feed(two + one + two) == two + one.replace(b'"m"', b'"p/m"') + two
    other = b'data: {"r":{"model":"m-2026"}}\n\n'
    assert renamed.feed(other) == other

"""Requests for embeddings, and answers that are those of the texts."""

import json

import pytest

from cartrita.dialects.openai_chat.embeddings import parse_answer, render_request
from cartrita.domain.errors import UpstreamMalformed


def test_the_request_tells_the_format() -> None:
    assert json.loads(render_request("m", ["one", "two"])) == {
        "model": "m",
        "input": ["one", "two"],
        "encoding_format": "float",
    }


def test_vectors_come_in_the_order_of_the_texts() -> None:
    data = [{"index": 1, "embedding": [0, 1]}, {"index": 0, "embedding": [0.5, 1.5]}]
    body = json.dumps({"object": "list", "data": data, "model": "m"}).encode()
    assert parse_answer(body, 2, "p") == [[0.5, 1.5], [0.0, 1.0]]


@pytest.mark.parametrize(
    "data",
    [
        [],
        [{"index": 0, "embedding": [1]}],
        [{"index": 0, "embedding": [1]}, {"index": 0, "embedding": [1]}],
        [{"index": 0, "embedding": [1]}, {"index": 1, "embedding": [1, 2]}],
        [{"index": 0, "embedding": []}, {"index": 1, "embedding": []}],
        [{"index": 0, "embedding": "AAAA"}, {"index": 1, "embedding": "AAAA"}],
        "none",
    ],
)
def test_other_answers_are_refused(data: object) -> None:
    with pytest.raises(UpstreamMalformed, match="not those of the texts"):
        parse_answer(json.dumps({"data": data}).encode(), 2, "p")
    with pytest.raises(UpstreamMalformed):
        parse_answer(b"<html>", 2, "p")

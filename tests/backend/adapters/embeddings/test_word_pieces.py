"""Texts are cut as BERT's own tokenizer cuts them."""

import pytest

from cartrita.adapters.embeddings.word_pieces import WordPieces

PIECES = WordPieces()
CLS, SEP, UNKNOWN = 101, 102, 100


@pytest.mark.parametrize(
    ("text", "numbers"),
    [  # as `tokenizers` 0.23.3 cuts them with the model's own tokenizer.json
        ("", []),
        ("The blue pump", [1996, 2630, 10216]),
        (
            "Heliotropes' unwatered beds?",
            [2002, 12798, 13181, 10374, 1005, 4895, 5880, 2098, 9705, 1029],
        ),
        ("Café, Ünïcode & naïve", [7668, 1010, 27260, 1004, 15743]),
        (
            "$4.50 <b>a+b</b> e-mail",
            [
                1002,
                1018,
                1012,
                2753,
                1026,
                1038,
                1028,
                1037,
                1009,
                1038,
                1026,
                1013,
                1038,
                1028,
                1041,
                1011,
                5653,
            ],
        ),
        ("漢字 ab漢", [1904, 100, 11113, 1904]),
        ("İstanbul ǅ ﬁsh", [9960, 100, 1984, 4095]),
        ("a\u200bb\xadc�\td\x00e", [5925, 2139]),
        ("“Quoted” … — ½ € ™", [1523, 9339, 1524, 1529, 1517, 1092, 1574, 1580]),
        ("😀 pump", [100, 10216]),
        ("a̐é", [29347]),
    ],
)
def test_pieces_are_those_of_the_models_own_tokenizer(text: str, numbers: list[int]) -> None:
    assert PIECES.numbers(text, 256) == [CLS, *numbers, SEP]


def test_a_long_text_is_cut() -> None:
    numbers = PIECES.numbers("pump " * 500, 8)
    assert (len(numbers), numbers[0], numbers[-1]) == (8, CLS, SEP)
    assert len(set(numbers[1:-1])) == 1


def test_a_long_word_is_unknown() -> None:
    assert PIECES.numbers("a" * 101, 9) == [CLS, UNKNOWN, SEP]

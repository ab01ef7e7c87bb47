"""A ranking by words and one by meaning become one."""

from uuid import UUID

import pytest

from cartrita.application.search.ranking import fused
from cartrita.domain.files import ContentId, FileId
from cartrita.domain.passages import FoundPassage, Passage

Scores = dict[int, float]


def found(number: int, score: float) -> FoundPassage:
    return FoundPassage(
        file_id=FileId(UUID(int=1)),
        content_id=ContentId(UUID(int=2)),
        name="a.txt",
        pages=1,
        passage=Passage(1, number, 0, "text"),
        score=score,
    )


def numbers(words: Scores, meaning: Scores, limit: int = 10) -> list[int]:
    by_words, by_meaning = ([found(*one) for one in each.items()] for each in (words, meaning))
    return [each.passage.number for each in fused(by_words, by_meaning, limit)]


def test_what_is_in_both_comes_first() -> None:
    assert numbers({1: 0.6, 2: 0.5}, {3: 0.9, 2: 0.8, 4: 0.1}) == [2, 3, 1, 4]


def test_a_few_common_words_do_not_outweigh_the_meaning() -> None:
    assert numbers({1: 0.1}, {2: 0.9, 3: 0.5, 1: 0.4})[0] == 2


@pytest.mark.parametrize("highest", [0.3, 0.9])
def test_the_range_of_a_models_cosines_does_not_matter(highest: float) -> None:
    meaning = {1: highest, 2: highest - 0.03, 3: highest - 0.1}
    assert numbers({2: 1.0}, meaning) == [2, 1, 3]


def test_each_once_and_no_more_than_asked_for() -> None:
    assert numbers({1: 0.5, 2: 0.1}, {1: 0.9, 2: 0.8}, limit=1) == [1]
    assert numbers({}, {}) == []
    assert numbers({1: 0.5, 2: 0.4}, {}) == [1, 2]
    assert numbers({}, {1: 0.5, 2: 0.5}) == [1, 2]

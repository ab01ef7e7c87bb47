"""Several rankings become one by the places that passages have in them."""

from uuid import UUID

from cartrita.application.passage_ranking import fused
from cartrita.domain.attachments import AttachmentId, ContentId
from cartrita.domain.passages import FoundPassage, Passage


def found(number: int) -> FoundPassage:
    return FoundPassage(
        file_id=AttachmentId(UUID(int=1)),
        content_id=ContentId(UUID(int=2)),
        name="a.txt",
        pages=1,
        passage=Passage(1, number, 0, "text"),
    )


def numbers(*rankings: list[int], limit: int = 10) -> list[int]:
    made = [[found(number) for number in ranking] for ranking in rankings]
    return [each.passage.number for each in fused(made, limit)]


def test_what_stands_high_in_several_comes_first() -> None:
    assert numbers([1, 2, 3], [4, 2, 5]) == [2, 1, 4, 3, 5]


def test_each_once_and_no_more_than_asked_for() -> None:
    assert numbers([1, 2], [1, 2], limit=1) == [1]
    assert numbers() == []
    assert numbers([], []) == []


def test_the_first_ranking_decides_between_equals() -> None:
    assert numbers([1], [2]) == [1, 2]

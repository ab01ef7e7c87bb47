"""Pages are cut into passages that hold all of their text, where it breaks."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from cartrita.domain.files import ContentId, FileId, FilePage
from cartrita.domain.passages import LONGEST_PASSAGE, FoundPassage, Passage, passages_of

TEXTS = st.lists(
    st.sampled_from(["word", "wörter ", ". ", "\n", "\n\n", "x" * 700, " ", "\t", "東京"]),
    max_size=60,
).map("".join)


@given(TEXTS)
def test_nothing_is_lost_and_nothing_too_long(text: str) -> None:
    passages = list(passages_of(FilePage(3, text)))
    assert [each.number for each in passages] == [*range(1, len(passages) + 1)]
    for each in passages:
        assert each.page == 3
        assert text[each.start :].startswith(each.text)
        assert 0 < len(each.text) <= LONGEST_PASSAGE
    assert "".join("".join(each.text.split()) for each in passages) == "".join(text.split())


def test_a_short_page_is_one_passage() -> None:
    assert list(passages_of(FilePage(1, "  The blue pump.\n"))) == [
        Passage(1, 1, 2, "The blue pump.")
    ]
    assert list(passages_of(FilePage(1, " \n "))) == []


def test_passages_end_where_paragraphs_lines_sentences_or_words_do() -> None:
    for mark in ("\n\n", "\n", ". ", " "):
        first = "a" * 900 + mark
        [one, _] = passages_of(FilePage(1, first + "b" * 900))
        assert one.text == first.strip()
    [one, _] = passages_of(FilePage(1, "a" * 500 + "\n\n" + "b. " * 100 + "c" * 900))
    assert one.text == "a" * 500
    [one, two] = passages_of(FilePage(1, "a" * 2000))
    assert (len(one.text), two.start, two.number) == (LONGEST_PASSAGE, LONGEST_PASSAGE, 2)


def test_a_found_passage_says_where_it_stands() -> None:
    found = FoundPassage(
        file_id=FileId(UUID(int=1)),
        content_id=ContentId(UUID(int=2)),
        name="garden.pdf",
        pages=9,
        passage=Passage(3, 2, 100, "The blue pump"),
    )
    assert found.title == "garden.pdf, page 3, passage 2"
    assert found.url == f"/api/files/file_{1:032x}/content#page=3&passage=2"
    assert found.place == (UUID(int=2), 3, 2)

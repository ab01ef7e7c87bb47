"""What a tool gives beside its text is bounded, too."""

from cartrita.agents.output_bounds import bounded_attachments, bounded_sources
from cartrita.domain.messages import Attachment
from cartrita.tools.tool import Source


def test_sources_are_few_and_short() -> None:
    sources = [Source("t" * 100_000, f"https://{n}/" + "u" * 1000, "s" * 9000) for n in range(500)]
    told = bounded_sources(sources, 20_000)
    assert 10 <= len(told) <= 50
    assert sum(len(one.title) + len(one.url or "") for one in told) <= 20_000
    assert all(len(one.snippet or "") <= 1000 for one in told)
    assert len(bounded_sources([Source("t")] * 500, 20_000)) == 50


def test_an_address_that_is_too_long_is_no_address() -> None:
    long = "https://example.com/" + "x" * 5000
    (told,) = bounded_sources([Source("Moss", long)], 20_000)
    assert told == Source("Moss")
    (nameless,) = bounded_sources([Source("", long)], 20_000)
    assert nameless.title.startswith("https://example.com/")
    assert len(nameless.title) == 300


def test_short_sources_are_as_they_were() -> None:
    sources = (Source("Moss", "https://example.com", "It grows."), Source("Fern"))
    assert bounded_sources(sources, 20_000) == sources


def test_files_are_few_and_small() -> None:
    big = Attachment("image/png", url="data:image/png;base64," + "A" * 3_000_000)
    assert bounded_attachments([big, big]) == (big,)
    small = Attachment("image/png", attachment_id="file_1")
    assert len(bounded_attachments([small] * 20)) == 8

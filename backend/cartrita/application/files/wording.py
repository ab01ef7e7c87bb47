"""The words in which models are told what files hold."""

import re
from collections.abc import Sequence
from typing import Final

from cartrita.domain.files import FilePage, StoredFile, file_heading
from cartrita.domain.passages import Passage

_MARK: Final = re.compile(
    r"^(?=\[(?:File: |Page \d|End of the file|These are passages|The (?:file|image) ))",
    re.MULTILINE,
)
"""Where a line of a file begins as the lines do that tell of files."""
_CITE: Final = "Name the page of what you use of it."


def pages_told(file: StoredFile, name: str, pages: Sequence[FilePage], room: int) -> str:
    """The text of a file between two lines that say what it is."""
    paged = file.pages > 1
    whole = "\n".join(
        f"[Page {page.number}]\n{_quoted(page.text)}" if paged else _quoted(page.text)
        for page in pages
    )
    end = "End of the file"
    if len(pages) < file.pages or len(whole) > room:
        end = f"The file goes on: this is the beginning of its {file.characters:,} characters."
    end = f"[{end.rstrip('.')}. {_CITE}]" if paged else f"[{end}]"
    return f"{file_heading(name)}\n{whole[:room]}\n{end}"


def _quoted(text: str) -> str:
    """The text, in which no line can be taken for one of ours."""
    return _MARK.sub(r"\\", text)


def passages_told(file: StoredFile, name: str, passages: Sequence[Passage]) -> str:
    """Some passages of a file between two lines that say what they are."""
    texts = (
        f"[Page {each.page}, passage {each.number}]\n{_quoted(each.text)}" for each in passages
    )
    end = (
        f"[These are passages of its {file.characters:,} characters on {file.pages:,} pages that "
        f"match the question, not the whole file. {_CITE}]"
    )
    return "\n".join((file_heading(name), *texts, end))

"""Places in files, which answers cite: their addresses in the native API, and what these say."""

import re
from typing import Final

import msgspec

from cartrita.domain.messages import Citation

_ADDRESS: Final = re.compile(
    r"/api/files/(file_[0-9a-fA-F]{32})/content(?:#page=(\d{1,9})(?:&passage=(\d{1,9}))?)?"
)


class FilePlace(msgspec.Struct, frozen=True):
    """A page of a stored file, or the `number`th passage of it; without a page the whole file."""

    file_id: str
    name: str
    page: int | None = None
    number: int | None = None

    @property
    def title(self) -> str:
        """Where it is, for people."""
        return f"{self.name}{self._where(', page ', ', passage ')}"

    @property
    def url(self) -> str:
        """Where the file is read; viewers of PDFs open the page."""
        return f"/api/files/{self.file_id}/content{self._where('#page=', '&passage=')}"

    def _where(self, before_page: str, before_number: str) -> str:
        page = "" if self.page is None else f"{before_page}{self.page}"
        return page if self.number is None else f"{page}{before_number}{self.number}"


def cited_place(citation: Citation) -> FilePlace | None:
    """The place in a stored file that is cited, if one is."""
    found = _ADDRESS.fullmatch(citation.url or "")
    if found is None:
        return None
    page, number = (None if each is None else int(each) for each in found.group(2, 3))
    suffix = FilePlace("", "", page, number).title
    return FilePlace(found[1], citation.title.removesuffix(suffix), page, number)

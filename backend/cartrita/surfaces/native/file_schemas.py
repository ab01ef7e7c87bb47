"""Response schemas of files."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from cartrita.domain.files import FileStatus, StoredFile


class FileView(BaseModel):
    """A file; files of the same bytes share what was read of them."""

    id: str = Field(examples=["file_0193b0c3a5d87c1e9f4d2b6a8e0c4f17"])
    filename: str
    size: int = Field(description="In bytes.")
    mime_type: str = Field(description="By its content, whatever its sender said.")
    checksum: str = Field(description="SHA-256, in hexadecimal digits.")
    url: str = Field(description="Where its bytes are, with the same credentials.")
    image_url: str | None = Field(
        description="Of an image that has been read: where it is, made anew, for showing it."
    )
    conversation_id: str | None
    status: FileStatus = Field(
        description="`stored` until it is read, then `reading`, and `ready` or `unreadable` after."
    )
    reason: str | None = Field(description="Why it is unreadable.")
    progress: float = Field(description="How much of it has been read, 0 to 1.")
    pages: int = Field(description="Pages, sheets or slides that have been read.")
    characters: int = Field(description="The length of its text.")
    indexed: float | None = Field(
        description="How much of its text is found by its meaning, 0 to 1; null where no model for "
        "that is configured, or there is no text."
    )
    created_at: datetime

    @classmethod
    def of(cls, file: StoredFile) -> "FileView":
        path = f"/api/files/{file.public_id}"
        return cls(
            id=file.public_id,
            filename=file.name,
            size=file.size,
            mime_type=file.media_type,
            checksum=file.sha256,
            url=f"{path}/content",
            image_url=None if file.image_type is None else f"{path}/image",
            conversation_id=file.conversation,
            status=file.status,
            reason=file.reason,
            progress=file.progress,
            pages=file.pages,
            characters=file.characters,
            indexed=file.indexed,
            created_at=file.created_at,
        )


class FileUploadResponse(BaseModel):
    """A file that was uploaded."""

    file_id: str = Field(examples=["file_0193b0c3a5d87c1e9f4d2b6a8e0c4f17"])
    filename: str = Field(description="As it is kept: without folders and hidden characters.")
    size: int = Field(description="In bytes.")
    mime_type: str = Field(description="By its content, whatever its sender said.")
    checksum: str = Field(description="SHA-256, in hexadecimal digits.")
    url: str = Field(description="Where its bytes are, with the same credentials.")
    conversation_id: str | None
    metadata: dict[str, Any] = Field(description="`status`: what became of it so far.")

    @classmethod
    def of(cls, file: StoredFile) -> "FileUploadResponse":
        return cls(
            file_id=file.public_id,
            filename=file.name,
            size=file.size,
            mime_type=file.media_type,
            checksum=file.sha256,
            url=f"/api/files/{file.public_id}/content",
            conversation_id=file.conversation,
            metadata={"status": file.status},
        )


class UploadedFiles(BaseModel):
    """Files that were uploaded, in the order in which they came."""

    files: list[FileUploadResponse]
    total: int

"""Schemas of files in OpenAI's shapes, as openapi.json describes them."""

from typing import Literal

from pydantic import BaseModel, Field

from cartrita.domain.files import FileStatus, StoredFile


class FileObject(BaseModel):
    """A file, in OpenAI's shape."""

    id: str = Field(examples=["file_0193b0c3a5d87c1e9f4d2b6a8e0c4f17"])
    object: Literal["file"]
    bytes: int
    created_at: int = Field(description="In Unix seconds.")
    expires_at: int | None = Field(description="In Unix seconds.")
    filename: str
    purpose: str
    status: Literal["uploaded", "processed", "error"]
    status_details: str | None = Field(description="Why it cannot be read.")

    @classmethod
    def of(cls, file: StoredFile) -> "FileObject":
        expires_at = file.expires_at
        return cls(
            id=file.public_id,
            object="file",
            bytes=file.size,
            created_at=int(file.created_at.timestamp()),
            expires_at=None if expires_at is None else int(expires_at.timestamp()),
            filename=file.name,
            purpose=file.purpose,
            status=_STATUS[file.status],
            status_details=file.reason,
        )


class FileList(BaseModel):
    """A page of files, in OpenAI's shape."""

    object: Literal["list"]
    data: list[FileObject]
    first_id: str | None
    last_id: str | None
    has_more: bool


class DeletedFile(BaseModel):
    """What is told of a file that was deleted."""

    id: str
    object: Literal["file"]
    deleted: Literal[True]


_STATUS: dict[FileStatus, Literal["uploaded", "processed", "error"]] = {
    FileStatus.STORED: "uploaded",
    FileStatus.READING: "uploaded",
    FileStatus.READY: "processed",
    FileStatus.UNREADABLE: "error",
}

"""Settings of files: what may be uploaded, where it is kept, and how it is read."""

from typing import Annotated

from pydantic import Field

from cartrita.settings.fields import Group, Setting
from cartrita.settings.types import Key, MediaTypes, StorageUrl, WebUrl, Word

TYPES = (
    "text/*",
    "application/json",
    "application/jsonl",
    "application/xml",
    "application/pdf",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "image/*",
    "audio/*",
    "video/*",
)


class S3(Group):
    """The bucket in which files are kept, where `files.storage` names one."""

    region: Annotated[Word, Setting("Its region.")] = "us-east-1"
    endpoint: Annotated[
        WebUrl | None,
        Setting(
            "A server other than Amazon's that speaks its protocol.",
            value="https://host:port",
            default="Amazon's own",
        ),
    ] = None
    access_key_id: Annotated[
        Key | None,
        Setting("The key's id.", default="the machine's role", value="a text", secret=True),
    ] = None
    secret_access_key: Annotated[
        Key | None,
        Setting("The key itself.", default="the machine's role", value="a text", secret=True),
    ] = None


class Files(Group):
    """Files that callers upload."""

    storage: Annotated[
        StorageUrl | None,
        Setting(
            "Where their bytes are kept: an absolute path, or a bucket of S3. Replicas on several "
            "machines need a place that all of them reach.",
            value="/path or s3://bucket/prefix",
            default="`files` in the data directory",
        ),
    ] = None
    max_bytes: Annotated[
        int,
        Field(ge=1024, le=1 << 40),
        Setting("The largest file.", env="CARTRITA_MAX_UPLOAD_BYTES"),
    ] = 100 << 20
    types: Annotated[
        MediaTypes,
        Setting(
            "The types that are accepted, by the content of a file and not by what its sender "
            "says; `image/*` stands for all images, `*/*` for everything.",
            value="media types, separated by commas",
            example="text/*,image/*,application/pdf",
        ),
    ] = TYPES
    per_request_max: Annotated[
        int, Field(ge=1, le=1000), Setting("The most files of one request.")
    ] = 20
    per_owner_max: Annotated[
        int, Field(ge=1, le=10_000_000), Setting("The most files of one owner.")
    ] = 10_000
    per_owner_bytes: Annotated[
        int, Field(ge=1024, le=1 << 50), Setting("The most bytes of one owner's files together.")
    ] = 10 << 30
    per_owner_chars: Annotated[
        int,
        Field(ge=1000, le=1 << 50),
        Setting(
            "An owner whose files have more characters of text has no more of them read. They take "
            "some two bytes each in the database."
        ),
    ] = 500_000_000
    upload_timeout_s: Annotated[
        float, Field(ge=1, le=86400), Setting("How long the body of an upload may take to arrive.")
    ] = 3600.0
    read_max_bytes: Annotated[
        int, Field(ge=1024, le=1 << 34), Setting("A longer file is kept, and not read.")
    ] = 100 << 20
    read_timeout_s: Annotated[
        float, Field(ge=1, le=3600), Setting("How long reading a file may take.")
    ] = 120.0
    read_memory_bytes: Annotated[
        int,
        Field(ge=256 << 20, le=1 << 36),
        Setting("How much memory reading a file may take."),
    ] = 1 << 30
    read_pages_max: Annotated[
        int, Field(ge=1, le=1_000_000), Setting("A document of more pages is not read.")
    ] = 5000
    read_chars_max: Annotated[
        int,
        Field(ge=1000, le=1_000_000_000),
        Setting("Nor one whose text has more characters."),
    ] = 2_000_000
    read_interval_s: Annotated[
        float,
        Field(ge=0.05, le=600),
        Setting("How often a worker looks for files that others have received and not read."),
    ] = 5.0
    image_pixels_max: Annotated[
        int, Field(ge=1000, le=400_000_000), Setting("An image of more pixels is not read.")
    ] = 40_000_000
    image_edge_max: Annotated[
        int,
        Field(ge=64, le=8192),
        Setting("Models get images of at most so many pixels in width and height."),
    ] = 2048
    context_chars: Annotated[
        int,
        Field(ge=1000, le=100_000_000),
        Setting("The most characters of all attached files that a model is given."),
    ] = 100_000
    context_wait_s: Annotated[
        float,
        Field(ge=0, le=600),
        Setting("How long an answer waits for a file that is still being read."),
    ] = 60.0
    embeddings_model: Annotated[
        Word | None,
        Setting(
            "The model that embeds what files say, so that it is found by its meaning too, as "
            "provider/model. Its provider gets the text of all files; "
            "`local/all-minilm-l6-v2` runs on this machine, where the extra `embeddings` is "
            "installed.",
            value="provider/model",
            example="local/all-minilm-l6-v2",
            default="none: files are searched by words",
        ),
    ] = None
    s3: S3 = S3()

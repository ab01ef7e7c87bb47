"""Files: where their bytes are, the use cases over them, and what reads them."""

from pathlib import Path
from typing import NamedTuple

import structlog

from cartrita.adapters.blobs.blobs import Blobs
from cartrita.adapters.blobs.stores import Bucket, open_bucket, open_directory
from cartrita.adapters.embeddings.local import LocalEmbeddings
from cartrita.adapters.file_reading.orders import ReadingBounds
from cartrita.adapters.file_reading.reader import ProcessReading
from cartrita.adapters.persistence.database import Database
from cartrita.adapters.persistence.file_contents import ContentTable
from cartrita.adapters.persistence.file_reading import ReadingTable
from cartrita.adapters.persistence.files import FileTable
from cartrita.adapters.persistence.passage_vectors import PassageVectorTable
from cartrita.adapters.persistence.passages import PassageTable
from cartrita.adapters.persistence.uploads import UploadTable
from cartrita.adapters.processes import walls
from cartrita.application.files.context import FileContext
from cartrita.application.files.files import Files
from cartrita.application.files.reader import FileReader, ReadingLimits
from cartrita.application.files.removal import FileRemoval
from cartrita.application.files.texts import FileTexts
from cartrita.application.files.uploads import UploadLimits, Uploads
from cartrita.application.search.meaning import MeaningSearch
from cartrita.application.search.model_embeddings import ModelEmbeddings
from cartrita.application.search.passage_embedder import PassageEmbedder
from cartrita.domain.embeddings import LOCAL_MODEL
from cartrita.domain.files import FileQuota
from cartrita.gateway.gateway import Gateway
from cartrita.settings import Settings

log = structlog.get_logger(__name__)

_FOLDER = "files"
_BUCKETS = "s3://"
_SILENCES = 2
"""A reader counts as gone after so many times the longest that reading a file takes."""


class FileParts(NamedTuple):
    """What has to do with files."""

    uploads: Uploads
    files: Files
    texts: FileTexts
    context: FileContext
    reader: FileReader
    removal: FileRemoval
    blobs: Blobs
    embedder: PassageEmbedder | None


def open_files(settings: Settings, database: Database, gateway: Gateway) -> FileParts:
    """The parts of files. Raises OperatorError if their directory cannot be used."""
    files = settings.files
    blobs = open_blobs(settings)
    store = FileTable(database, files.embeddings_model)
    if missing := walls.missing():
        log.warning("file_reading_is_open", missing=missing)
    meaning, embedder = _meaning(settings, database, gateway)
    texts = FileTexts(store, PassageTable(database), meaning)
    contents = ContentTable(database, arrival_s=_SILENCES * files.upload_timeout_s)
    removal = FileRemoval(contents, blobs)
    reader = FileReader(
        ReadingTable(
            database,
            silence_s=_SILENCES * files.read_timeout_s,
            owner_characters=files.per_owner_chars,
        ),
        blobs,
        ProcessReading(_bounds(settings), folder=settings.data_dir),
        ReadingLimits(file_bytes=files.read_max_bytes, interval_s=files.read_interval_s),
    )
    limits = UploadLimits(
        types=files.types,
        file_bytes=files.max_bytes,
        files=files.per_request_max,
        quota=FileQuota(files.per_owner_max, files.per_owner_bytes),
    )
    return FileParts(
        uploads=Uploads(UploadTable(database), blobs, removal, limits, reader.wake),
        files=Files(store, blobs, removal),
        texts=texts,
        context=FileContext(
            store, blobs, texts, characters=files.context_chars, wait_s=files.context_wait_s
        ),
        reader=reader,
        removal=removal,
        blobs=blobs,
        embedder=embedder,
    )


def _meaning(
    settings: Settings, database: Database, gateway: Gateway
) -> tuple[MeaningSearch | None, PassageEmbedder | None]:
    """What finds passages by what they mean, where a model for it is configured.

    Raises OperatorError where the local one is not installed.
    """
    model = settings.files.embeddings_model
    if model is None:
        return None, None
    embeddings = LocalEmbeddings() if model == LOCAL_MODEL else ModelEmbeddings(gateway, model)
    vectors = PassageVectorTable(database)
    embedder = PassageEmbedder(vectors, embeddings, interval_s=settings.files.read_interval_s)
    return MeaningSearch(vectors, embeddings), embedder


def file_folder(settings: Settings) -> Path | None:
    """The directory in which the bytes of files are kept; None if that is a bucket."""
    storage = settings.files.storage
    if storage is None:
        return settings.data_dir / _FOLDER
    return None if storage.startswith(_BUCKETS) else Path(storage)


def open_blobs(settings: Settings) -> Blobs:
    """Where the bytes of files are kept. Raises OperatorError if a directory cannot be used."""
    folder, storage = file_folder(settings), settings.files.storage
    if folder is not None or storage is None:
        return open_directory(folder or settings.data_dir / _FOLDER)
    name, _, prefix = storage.removeprefix(_BUCKETS).partition("/")
    s3 = settings.files.s3
    return open_bucket(
        Bucket(
            name=name,
            prefix=prefix,
            region=s3.region,
            endpoint=s3.endpoint,
            access_key_id=None if s3.access_key_id is None else s3.access_key_id.reveal(),
            secret_access_key=s3.secret_access_key,
        )
    )


def _bounds(settings: Settings) -> ReadingBounds:
    files = settings.files
    return ReadingBounds(
        seconds=files.read_timeout_s,
        memory_bytes=files.read_memory_bytes,
        pages=files.read_pages_max,
        characters=files.read_chars_max,
        image_pixels=files.image_pixels_max,
        image_edge=files.image_edge_max,
    )

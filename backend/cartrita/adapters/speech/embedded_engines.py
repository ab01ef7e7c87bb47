"""Which engines there are for transcribing on this machine, and what each lacks here."""

from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import Final

import msgspec
import structlog

from cartrita.domain.speech import SpeechModel

log = structlog.get_logger(__name__)

_ENGLISH: Final = ("en",)


class KnownEngine(msgspec.Struct, frozen=True, kw_only=True):
    """An engine: the module that it is, the setting that names its model, what to expect of it."""

    module: str
    label: str
    setting: str | None = None
    languages: tuple[str, ...] = ()
    translates: bool = False


ENGINES: Final = MappingProxyType(
    {
        "faster-whisper": KnownEngine(
            module="faster_whisper",
            label="embedded, with your own model",
            setting="voice.faster_whisper_model",
            translates=True,
        ),
        "sherpa-onnx": KnownEngine(
            module="sherpa_onnx",
            label="embedded, with your own model",
            setting="voice.sherpa_onnx_model",
        ),
        "pocketsphinx": KnownEngine(
            module="pocketsphinx", label="embedded, English, low accuracy", languages=_ENGLISH
        ),
    }
)
"""The better ones first: those need a model, which does not come with them."""
_INSTALLS: Final = MappingProxyType(
    {
        "faster-whisper": ".venv/bin/uv pip install --python .venv faster-whisper",
        "sherpa-onnx": ".venv/bin/uv pip install --python .venv sherpa-onnx",
        "pocketsphinx": ".venv/bin/uv pip install --python .venv -c requirements-dev.lock "
        "-e 'backend[voice]'",
    }
)


def offered_engine(name: str, model: Path | None) -> SpeechModel:
    """An engine as it is offered here, with this model of the operator's."""
    known = ENGINES[name]
    return SpeechModel(
        name=name,
        needs=_needs(name, known, model),
        live=True,
        label=known.label,
        languages=known.languages,
        own_model=known.setting is not None,
    )


def _needs(name: str, known: KnownEngine, model: Path | None) -> str | None:
    if find_spec(known.module) is None:
        return f"Install it where the server runs, in a clone: {_INSTALLS[name]}."
    if known.setting is None:
        return None
    if model is None:
        return f"Set {known.setting} to the directory of a model."
    if model.is_dir():
        return None
    log.error("engine_model_missing", engine=name, setting=known.setting, path=str(model))
    return f"{known.setting} names no directory: the log of the server says which one."

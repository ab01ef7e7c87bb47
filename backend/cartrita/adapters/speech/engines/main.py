"""The process of one engine, which hears on its standard input: `python -I -m ...main ORDER`."""

import logging
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO, Final, cast

import msgspec

from cartrita.adapters.processes.bounds import apply
from cartrita.adapters.processes.descriptors import close_inherited
from cartrita.adapters.processes.system_calls import die_with_parent
from cartrita.adapters.processes.walls import shut_in
from cartrita.adapters.speech.engines.orders import (
    ADD,
    DROP,
    FINAL,
    FRAME_HEAD,
    INTERIM,
    LONGEST_FRAME,
    SAMPLE_RATE,
    EngineFailure,
    EngineLine,
    EngineOrder,
    TextLine,
    UtteranceEngine,
)
from cartrita.adapters.speech.samples import MonoSamples
from cartrita.domain.speech import PcmFormat

_MODULES: Final = MappingProxyType(
    {
        "pocketsphinx": "pocketsphinx_engine",
        "faster-whisper": "faster_whisper_engine",
        "sherpa-onnx": "sherpa_onnx_engine",
    }
)


def main() -> None:
    """Load the engine, shut in, and answer what is asked of it until nothing is any more."""
    close_inherited()
    die_with_parent()
    order = msgspec.json.decode(sys.argv[1], type=EngineOrder)
    logging.disable()
    open_engine = _opener(order)  # while files of ours can be read
    apply(order.bounds)
    # Before it is loaded: some would fetch over the network what their model lacks.
    shut_in([Path(order.model)] if order.model else [], alone=order.threads == 1)
    try:
        engine = open_engine(order)
    except Exception as error:  # noqa: BLE001 - an engine raises anything for a model that is none
        _write(EngineFailure(str(error)))
        return
    _serve(engine, order, sys.stdin.buffer)


def _opener(order: EngineOrder) -> Callable[[EngineOrder], UtteranceEngine]:
    module = import_module(f"cartrita.adapters.speech.engines.{_MODULES[order.engine]}")
    return cast("Callable[[EngineOrder], UtteranceEngine]", module.open_engine)


def _serve(engine: UtteranceEngine, order: EngineOrder, stdin: BinaryIO) -> None:
    audio = PcmFormat(order.sample_rate, order.channels)
    mono = MonoSamples(audio, SAMPLE_RATE)
    for kind, sound in _frames(stdin):
        if kind == ADD:
            engine.add(mono.feed(sound))
        elif kind == INTERIM:
            _write(TextLine(text=engine.interim()))
        elif kind == FINAL:
            _write(engine.final())
        elif kind == DROP:
            engine.drop()


def _frames(stdin: BinaryIO) -> Iterator[tuple[bytes, bytes]]:
    while len(head := stdin.read(FRAME_HEAD.size)) == FRAME_HEAD.size:
        kind, size = FRAME_HEAD.unpack(head)
        yield kind, stdin.read(min(size, LONGEST_FRAME))


def _write(line: EngineLine) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(line) + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()

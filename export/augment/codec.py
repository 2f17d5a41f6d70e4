"""Round trips through the codecs of real devices, in memory, by libsndfile."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np

from edge_asr.arrays import Float32Array
from edge_asr.audio.resample import resample
from export.augment.step import check_choice, check_probability
from export.augment.surroundings import Surroundings


@dataclass(frozen=True)
class Format:
    """How libsndfile is asked for a codec."""

    container: str
    """Its name of the file format."""
    subtype: str
    """Its name of the codec."""
    rate_hz: int
    """Sample rate on the line."""
    compression: tuple[float, float] | None = None
    """Range of its compression level, 1 being the smallest file; None where there is no choice."""


CODECS = {
    "opus": Format("OGG", "OPUS", 16_000, (0.94, 1.0)),  # 8 to 22 kbit/s
    "vorbis": Format("OGG", "VORBIS", 16_000, (0.8, 1.0)),  # 35 to 42 kbit/s
    "mp3": Format("MP3", "MPEG_LAYER_III", 16_000, (0.7, 0.95)),
    "gsm": Format("WAV", "GSM610", 8_000),  # 13 kbit/s
    "ulaw": Format("WAV", "ULAW", 8_000),  # 64 kbit/s, G.711
    "alaw": Format("WAV", "ALAW", 8_000),
    "adpcm": Format("WAV", "IMA_ADPCM", 16_000),  # 64 kbit/s
    "adpcm16": Format("WAV", "NMS_ADPCM_16", 8_000),  # 16 kbit/s
}
"""Name -> format."""


def round_trip(
    samples: Float32Array, codec: str, sample_rate_hz: int, *, compression: float | None = None
) -> Float32Array:
    """Encode and decode: (n,) -> (n,), aligned within two samples."""
    import soundfile

    chosen = CODECS[codec]
    line = np.clip(resample(samples, sample_rate_hz, chosen.rate_hz), -1.0, 1.0)
    file = io.BytesIO()
    # Block codecs write their last block only on close, which `write` does.
    soundfile.write(
        file,
        line,
        chosen.rate_hz,
        format=chosen.container,
        subtype=chosen.subtype,
        compression_level=compression,
    )
    file.seek(0)
    decoded, _ = soundfile.read(file, dtype="float32")
    back = resample(np.asarray(decoded, dtype=np.float32), chosen.rate_hz, sample_rate_hz)
    return np.pad(back, (0, max(0, samples.size - back.size)))[: samples.size]


@dataclass(frozen=True, kw_only=True)
class Codec:
    """A lossy codec between the microphone and the recognizer."""

    probability: float = 0.25
    """Share of utterances that it happens to."""
    codecs: tuple[str, ...] = tuple(CODECS)
    """Drawn from; one that is named twice comes twice as often."""

    def __post_init__(self) -> None:
        check_probability(self.probability)
        check_choice("codecs", self.codecs, tuple(CODECS))

    def __call__(
        self, samples: Float32Array, rng: np.random.Generator, around: Surroundings
    ) -> tuple[Float32Array, str]:
        """(n,) -> (n,)."""
        codec = str(rng.choice(self.codecs))
        levels = CODECS[codec].compression
        compression = None if levels is None else round(rng.uniform(*levels), 3)
        return round_trip(samples, codec, around.sample_rate_hz, compression=compression), codec

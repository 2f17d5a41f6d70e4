"""Golden vectors of a model: a signal that anyone can make again, and what each stage answers to it."""

from __future__ import annotations

import numpy as np

from edge_asr.acoustic.chunking import AcousticModel
from edge_asr.arrays import Float32Array
from edge_asr.audio.pcm import from_int16
from edge_asr.features.cmvn import cmvn
from edge_asr.features.mfcc import mfcc
from export.rundir import GRAPH, INT8_GRAPH, RunDir

COMMENT = """Golden vectors of this model, hexadecimal floats.
samples -> mfcc -> features (normalised) -> log_probs (the bundle's graph, streamed).
log_probs_float: the same network before it was quantized.
Regenerate with: python -m export pack"""

_SECONDS = 0.4


def golden_signal(sample_rate_hz: int) -> Float32Array:
    """A voice-like sound of 0.4 s: harmonics of a gliding pitch under two gliding resonances, then a
    hiss from a congruential generator, then silence. Rounded to 16 bits, so that it is the same on
    every machine.

    Returns
    -------
    (n,) float32 in [-1, 1]
    """
    n = int(_SECONDS * sample_rate_hz)
    t = np.arange(n) / sample_rate_hz
    pitch_hz = 110 + 60 * t / _SECONDS
    phase = 2 * np.pi * np.cumsum(pitch_hz) / sample_rate_hz
    voice = np.zeros(n)
    for harmonic in range(1, 25):
        hz = harmonic * pitch_hz
        first, second = 300 + 900 * t, 2300 - 2500 * t
        gain = 1 / (1 + ((hz - first) / 120) ** 2) + 0.5 / (1 + ((hz - second) / 180) ** 2)
        voice += gain * np.sin(harmonic * phase)
    state, hiss = 1, np.empty(n)
    for i in range(n):
        state = (state * 1103515245 + 12345) % 2**31  # the generator of C's example rand()
        hiss[i] = state / 2**30 - 1
    signal = np.where(t < 0.6 * _SECONDS, 0.15 * voice, np.where(t < 0.85 * _SECONDS, 0.08 * hiss, 0.0))
    return from_int16(np.round(20_000 * np.clip(signal, -1, 1)).astype(np.int16))


def golden_vectors(run_dir: RunDir) -> dict[str, Float32Array]:
    """All arrays by name: ``samples`` (n,), ``mfcc`` and ``features`` (frames, bins), ``log_probs`` and
    ``log_probs_float`` (m, outputs)."""
    front_end = run_dir.checkpoint.front_end
    samples = golden_signal(front_end.mfcc.sample_rate_hz)
    coefficients = mfcc(samples, front_end.mfcc)
    features = cmvn(coefficients, front_end.cmvn)
    vectors = {"samples": samples, "mfcc": coefficients, "features": features}
    for name, graph in (("log_probs", INT8_GRAPH), ("log_probs_float", GRAPH)):
        model = AcousticModel(*run_dir.engine(graph))
        vectors[name] = np.concatenate([model.push(features), model.flush()])
    return vectors

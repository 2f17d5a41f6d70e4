"""What quantization does to the answers of a network, on recordings."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edge_asr.acoustic.onnx import OnnxEngine
from edge_asr.arrays import Float32Array
from edge_asr.config import AcousticConfig
from export.parity import compare
from export.verify import stream


@dataclass(frozen=True, kw_only=True)
class Effect:
    """A graph beside the one in float."""

    divergence: float
    """Kullback-Leibler, of the float answers from these, mean per output, in nats."""
    argmax_agreement: float
    """Share of outputs with the same best token."""
    phone_difference: float
    """Edits between the greedy phone strings per phone of the float graph."""


@dataclass(frozen=True)
class Judge:
    """Compares graphs with one in float on fixed recordings."""

    config: AcousticConfig
    """Of all the graphs."""
    recordings: Sequence[Float32Array]
    """Normalised features, (frames, bins) each."""
    reference: Sequence[Float32Array]
    """What the float graph answers to them."""

    @classmethod
    def of(cls, graph: Path, config: AcousticConfig, recordings: Sequence[Float32Array]) -> Judge:
        """With the answers of ``graph`` as the reference."""
        return cls(config, recordings, answers(graph, config, recordings))

    def effect(self, graph: Path) -> Effect:
        """Of whatever was done to ``graph``."""
        got = answers(graph, self.config, self.recordings)
        difference = compare(self.reference, got)
        return Effect(
            divergence=divergence(self.reference, got),
            argmax_agreement=difference.argmax_agreement,
            phone_difference=difference.phone_difference,
        )


def answers(graph: Path, config: AcousticConfig, recordings: Sequence[Float32Array]) -> list[Float32Array]:
    """Log-probabilities of each recording, streamed."""
    engine = OnnxEngine(graph, config, bins=recordings[0].shape[1])
    return [stream(engine, config, features) for features in recordings]


def divergence(reference: Sequence[Float32Array], got: Sequence[Float32Array]) -> float:
    """Mean over all outputs of ``sum p (ln p - ln q)``; (frames, outputs) log-probabilities each."""
    p, q = np.concatenate(reference).astype(np.float64), np.concatenate(got).astype(np.float64)
    return float((np.exp(p) * (p - q)).sum(axis=1).mean())


def cost_ms(graph: Path, judge: Judge) -> float:
    """Processor time for all recordings of ``judge``, in one thread; the better of two runs."""
    engine = OnnxEngine(graph, judge.config, bins=judge.recordings[0].shape[1])
    best = float("inf")
    for _ in range(2):
        started = time.process_time()
        for features in judge.recordings:
            stream(engine, judge.config, features)
        best = min(best, 1000 * (time.process_time() - started))
    return best

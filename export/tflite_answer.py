"""Does a TFLite graph answer what the float graph of the same network answers? Asked before it is shipped."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np

from edge_asr.acoustic.chunking import AcousticModel
from edge_asr.acoustic.litert import LitertEngine
from edge_asr.arrays import Float32Array
from edge_asr.config import AcousticConfig
from edge_asr.errors import BundleError
from export.parity import Difference, compare

FAR = 0.5
"""Mean difference (ln) from which a quantized graph is another one, not a coarse one. Wide, since the golden
signal is no speech and the network unsure of it; ``verify`` judges on real speech."""


def check_tflite(
    path: Path, acoustic: AcousticConfig, features: Float32Array, float_answer: Float32Array
) -> Difference:
    """How far the graph lies from the float one on the golden vectors.

    Parameters
    ----------
    acoustic: of the bundle's ONNX graph; the TFLite graph must look the same.
    features: (frames, bins), normalised.
    float_answer: (m, outputs) log-probabilities of the float graph.

    Raises
    ------
    BundleError: another chunk length or state, or an answer that lies too far.
    MissingExtraError: no package here runs TFLite files.
    """
    engine = LitertEngine(path, dataclasses.replace(acoustic, graph=path.name), bins=features.shape[1])
    model = AcousticModel(engine, acoustic)
    difference = compare([float_answer], [np.concatenate([model.push(features), model.flush()])])
    if not difference.mean_log_prob <= FAR:
        raise BundleError(f"{path}: lies too far from the float graph: {difference}")
    return difference


def figure(difference: Difference) -> str:
    """A line for the card."""
    return (
        f"- int8 TFLite beside float32 on the golden signal: mean difference {difference.mean_log_prob:.3g} "
        "(ln) of log-probabilities that matter, same best token in "
        f"{difference.argmax_agreement:.1%} of frames"
    )

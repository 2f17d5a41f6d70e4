"""Each model that the package brings still answers its own golden vectors on this machine."""

import numpy as np
import pytest

from edge_asr.acoustic import create_engine
from edge_asr.acoustic.chunking import AcousticModel
from edge_asr.bundle import Bundle, available_models
from edge_asr.features.cmvn import cmvn
from edge_asr.features.mfcc import mfcc


@pytest.mark.parametrize("name", available_models())
def test_front_end(name: str) -> None:
    bundle = Bundle.load(name)
    golden = bundle.golden()
    coefficients = mfcc(golden["samples"], bundle.config.mfcc)
    # FFT and BLAS differ between machines in the last bits; liftered cepstra reach the hundreds.
    np.testing.assert_allclose(coefficients, golden["mfcc"], atol=5e-3)
    features = cmvn(golden["mfcc"], bundle.config.cmvn)
    np.testing.assert_allclose(features, golden["features"], atol=1e-4)


@pytest.mark.parametrize("name", available_models())
def test_acoustic_model(name: str) -> None:
    bundle = Bundle.load(name)
    golden, config = bundle.golden(), bundle.config.acoustic
    model = AcousticModel(create_engine("onnx", bundle), config)
    answers = np.concatenate([model.push(golden["features"]), model.flush()])
    # Integer products are the same everywhere; a last bit of a float between them may cross a rounding.
    matters = golden["log_probs"] > -7
    assert np.abs(answers - golden["log_probs"])[matters].mean() < 0.02
    assert (answers.argmax(axis=1) == golden["log_probs"].argmax(axis=1)).mean() > 0.95

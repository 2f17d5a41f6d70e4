"""What the whole recognizer refuses: every utterance counts."""

from __future__ import annotations

import numpy as np
import pytest

from edge_asr import Recognizer
from edge_asr.arrays import Float32Array
from edge_asr.decoder.graph import Graph

pytest.importorskip("jiwer", reason="benchmarks need jiwer")
pytest.importorskip("tqdm", reason="benchmarks need tqdm")

from benchmarks.refusals import CASES, REFUSED, certainty, operating_points


def test_shares_are_of_all_utterances() -> None:
    quiet, *_, read = CASES
    assert quiet.own and not read.own
    found = {quiet: [0.9, 0.1, REFUSED, 0.5], read: [REFUSED, 0.3, REFUSED, 0.05, 0.6]}
    assert dict(operating_points(found, 0.2)) == {
        "commands in quiet: refused of all": 0.5,
        "librispeech by home.yaml: accepted of all": 0.4,
    }
    assert dict(operating_points(found, 0.0)) == {
        "commands in quiet: refused of all": 0.25,
        "librispeech by home.yaml: accepted of all": 0.6,
    }


def test_what_no_preset_accepts_is_told_from_what_is_unsure(
    recognizer: Recognizer, home: Graph, sample: Float32Array
) -> None:
    noise = (0.02 * np.random.default_rng(0).standard_normal(sample.size)).astype(np.float32)
    assert certainty(recognizer, home, sample) > 0.5
    assert certainty(recognizer, home, noise) == REFUSED
    unsure = certainty(recognizer, home, sample[::-1].copy())
    assert unsure == REFUSED or 0 <= unsure < 0.2

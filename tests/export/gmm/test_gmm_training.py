"""Training on chord speech: it gets better, finds the boundaries, and can be stopped and resumed."""

from __future__ import annotations

import dataclasses
import itertools
from types import SimpleNamespace

import numpy as np
import pytest

from edge_asr.errors import UsageError
from export.gmm.config import GmmConfig, MonophoneConfig, TriphoneConfig
from export.gmm.training import MONOPHONE, TRIPHONE, GmmTraining

SHIFT_S, FRAME_S = 0.010, 0.025


def test_likelihood_never_falls(chord_gmm: SimpleNamespace) -> None:
    """Viterbi training without growth: each pass is at least as good as the one before."""
    training, model = chord_gmm.training, chord_gmm.training.flat_start()
    settings = MonophoneConfig(passes=8, grow_until=0, gaussians=1)
    model = dataclasses.replace(model, mixtures=model.mixtures.grown(np.full(model.states.count, 2)))
    seen = []
    for number in range(1, 9):
        model, facts = training.improved(model, settings, number)
        seen.append(facts["log_likelihood"])
    assert seen[-1] > seen[0] + 1
    assert all(after >= before - 1e-3 for before, after in itertools.pairwise(seen)), seen


def test_history_tells_the_passes(chord_gmm: SimpleNamespace) -> None:
    history = chord_gmm.model.history
    settings = chord_gmm.settings
    assert [(e["stage"], e["pass"]) for e in history] == [
        *((MONOPHONE, n) for n in range(settings.monophone.passes + 1)),
        *((TRIPHONE, n) for n in range(settings.triphone.passes + 1)),
    ]
    assert chord_gmm.model.finished and not chord_gmm.saved[-2].finished
    assert history[6]["gaussians"] <= settings.monophone.gaussians
    assert history[3]["gaussians"] > history[0]["gaussians"] == 3 + 5 * 3
    assert history[-1]["gaussians"] <= settings.triphone.gaussians
    assert 18 < history[-1]["states"] <= settings.triphone.leaves + 3
    assert all(e["too_short"] == 0 for e in history if "too_short" in e)


def test_phones_are_recognised(chord_gmm: SimpleNamespace) -> None:
    rates = {e["stage"]: e["per_chords"] for e in chord_gmm.model.history if "per_chords" in e}
    assert set(rates) == {MONOPHONE, TRIPHONE}
    assert rates[MONOPHONE] < 0.1 and rates[TRIPHONE] < 0.1


def test_boundaries_are_within_20_ms(chord_gmm: SimpleNamespace, chord_speech: SimpleNamespace) -> None:
    """Of chords that it learned from: where each phone begins."""
    found = chord_gmm.training.alignments(chord_gmm.model)
    assert len(found) == 40
    off = []
    for seed in range(40):
        alignment = found[f"chords/{seed}/0"]
        starts = [int(np.argmax(alignment.positions == i)) for i in range(len(alignment.labels))]
        # A boundary lies between the middles of two windows.
        at = np.array(starts) * SHIFT_S + FRAME_S / 2 - SHIFT_S / 2
        off.append(np.abs(at - chord_speech.begins(seed)))
    errors = np.concatenate(off)
    assert len(errors) > 200
    assert errors.max() <= 0.020 and errors.mean() < 0.012


@pytest.mark.parametrize("stop", [0, 3, 6, 8, 10])
def test_resumed_equals_uninterrupted(chord_gmm: SimpleNamespace, stop: int) -> None:
    """From any pass on, through the tree as well."""
    model = chord_gmm.training.fit(chord_gmm.saved[stop], lambda model: None)
    for name in ("weights", "means", "variances", "offsets"):
        np.testing.assert_array_equal(
            getattr(model.mixtures, name), getattr(chord_gmm.model.mixtures, name), err_msg=name
        )
    np.testing.assert_array_equal(model.states.table, chord_gmm.model.states.table)
    np.testing.assert_array_equal(model.stay, chord_gmm.model.stay)


def test_without_triphones_it_ends_early(chord_speech: SimpleNamespace) -> None:
    config = GmmConfig(monophone=MonophoneConfig(passes=1, grow_until=0), triphone=TriphoneConfig(passes=0))
    spoken = chord_speech.spoken(range(4))
    model = GmmTraining(config, chord_speech.front_end, chord_speech.names, spoken, {}).fit(
        None, lambda model: None
    )
    assert model.finished and {e["stage"] for e in model.history} == {MONOPHONE}


def test_bad_input_is_named(chord_speech: SimpleNamespace) -> None:
    front_end, names = chord_speech.front_end, chord_speech.names
    with pytest.raises(UsageError, match="no utterance of the train sets has words"):
        GmmTraining(GmmConfig(), front_end, names, [], {})
    spoken = chord_speech.spoken(range(2))
    with pytest.raises(UsageError, match="cepstra is 20, the front-end makes only 13"):
        GmmTraining(GmmConfig(cepstra=20), front_end, names, spoken, {})
    crowded = [dataclasses.replace(s, labels=s.labels * 99, pauses=s.pauses * 99) for s in spoken]
    with pytest.raises(UsageError, match="every utterance is shorter than its phones"):
        GmmTraining(GmmConfig(), front_end, names, crowded, {}).flat_start()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"silence_states": 2}, r"silence_states must be in 3\.\.5, got 2"),
        ({"variance_floor": 0.0}, "variance_floor between 0 and 1"),
        ({"dev_seconds": 0.0}, "dev_seconds must be positive"),
    ],
)
def test_bad_settings_are_named(values: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        GmmConfig(**values)  # type: ignore[arg-type]

"""The phone loop against alignment of every sequence of phones."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from edge_asr.config import CmvnConfig, MfccConfig
from export.checkpoint import FrontEnd
from export.criterion.phone_lm import phone_ngram
from export.gmm.chain import chain
from export.gmm.decode import PAUSE_PROBABILITY, PhoneLoop
from export.gmm.mixtures import Mixtures
from export.gmm.model import Gmm
from export.gmm.states import States
from export.gmm.viterbi import viterbi

TOKENS = ("<blk>", "AA", "B", "K")


def _model(states: States, seed: int) -> Gmm:
    rng = np.random.default_rng(seed)
    count = states.count
    means, variances = rng.normal(size=(count, 3)), rng.uniform(0.5, 1.5, (count, 3))
    return Gmm(
        front_end=FrontEnd(mfcc=MfccConfig(cepstra=1), cmvn=CmvnConfig(mean=(0.0,), scale=(1.0,))),
        cepstra=1,
        tokens=TOKENS,
        states=states,
        mixtures=Mixtures.single(means, variances),
        stay=rng.uniform(0.3, 0.7, count),
        bigram=phone_ngram([[1, 2], [3, 1, 1], [2, 3]], tokens=len(TOKENS), order=2),
    )


@pytest.mark.parametrize("context", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_no_sequence_is_better(context: bool, seed: int) -> None:
    states = States.monophones(4, 3)
    if context:
        table = 3 + np.random.default_rng(seed).integers(0, 40, size=(3, 4, 4, 4))
        table[0, 0, 1, 0] = 42
        states = States(3, table)
    model = _model(states, seed)
    # Nine to eleven frames: from one long phone to three short ones, with room for a pause.
    x = np.random.default_rng(seed + 50).normal(0, 1.5, (9 + seed % 3, 3)).astype(np.float32)
    scale = 1.5
    best: tuple[float, list[int]] = (-np.inf, [])
    for n in range(1, 4):
        for labels in itertools.product((1, 2, 3), repeat=n):
            own = chain(labels, states, probability=PAUSE_PROBABILITY)
            heard = model.mixtures.log_likelihoods(x)[own.states].T
            _, [score] = viterbi([heard], [own], model.stay, silence=3)
            path = [0, *labels, 0]
            score += scale * float(np.log(model.bigram[path[:-1], path[1:]]).sum())
            best = max(best, (score, list(labels)))
    found, score = PhoneLoop(model, lm_scale=scale)(x)
    assert score == pytest.approx(best[0], abs=1e-3)
    assert found == best[1]


def test_too_few_frames_hold_no_phone() -> None:
    loop = PhoneLoop(_model(States.monophones(4, 3), 0), lm_scale=1.0)
    assert loop(np.zeros((2, 3), dtype=np.float32)) == ([], -np.inf)

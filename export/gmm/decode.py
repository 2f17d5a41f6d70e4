"""The phones of an utterance when nobody says which: a Viterbi search of all phone sequences."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edge_asr.arrays import Float32Array
from export.gmm.model import Gmm
from export.gmm.states import EDGE

PAUSE_PROBABILITY = 0.15
"""Of silence after a phone when words are not known: half of the words' ends, and every third or fourth
phone ends a word."""
_NEVER = np.float32(-np.inf)


class PhoneLoop:
    """Every phone after every other, weighed by the model's phone bigram.

    The state of the search is the phone with both its neighbours, so that phones in context are searched
    exactly: a phone hands over to those that its right neighbour promised.
    """

    def __init__(self, model: Gmm, *, lm_scale: float) -> None:
        self._model = model
        table = model.states.table
        self._table = np.where(np.arange(table.shape[2])[:, None] == EDGE, 0, table)
        with np.errstate(divide="ignore"):
            self._stay = np.log(model.stay).astype(np.float32)
            self._leave = np.log1p(-model.stay).astype(np.float32)
            self._bigram = (lm_scale * np.log(model.bigram)).astype(np.float32)
        self._bigram[EDGE, EDGE] = _NEVER
        self._pause, self._no_pause = np.log([PAUSE_PROBABILITY, 1 - PAUSE_PROBABILITY]).astype(np.float32)

    def __call__(self, observed: Float32Array) -> tuple[list[int], float]:
        """Tokens of the best sequence of phones, one at least, in observations (frames, values), and its
        log-probability. Nothing (and -inf) where there are too few frames for any."""
        heard = np.ascontiguousarray(self._model.mixtures.log_likelihoods(observed).T)
        return _Search(heard, self._table, self._model.states.silence, self._stay, self._leave).run(
            self._bigram, float(self._pause), float(self._no_pause)
        )


class _Search:
    """One utterance.

    A pair (c, d) is a phone c that has ended with d to follow. For each frame and pair it is kept which
    left neighbour c had and when c began; for each frame and phone that begins, which pair it came from.
    """

    def __init__(
        self,
        heard: Float32Array,
        table: NDArray[np.int64],
        silence: int,
        stay: Float32Array,
        leave: Float32Array,
    ) -> None:
        self._heard, self._table, self._silence = heard, table, silence
        self._stay, self._leave = stay[table], leave[table]
        self._quiet_stay = stay[:silence, None, None]
        self._quiet_leave = leave[:silence, None, None]
        self._lefts, self._tokens, self._rights = table.shape[1:]
        frames = len(heard)
        shape = (frames, self._tokens, self._tokens)
        self._pair_left = np.zeros(shape, dtype=np.int16)
        self._pair_began = np.zeros(shape, dtype=np.int32)
        # When a phone begins: end of the pair it came from, and that pair's first phone.
        self._came_end = np.zeros((frames, self._lefts, self._tokens), dtype=np.int32)
        self._came_phone = np.zeros((frames, self._lefts, self._tokens), dtype=np.int16)

    def run(self, bigram: Float32Array, pause: float, no_pause: float) -> tuple[list[int], float]:
        tokens, silence = self._tokens, self._silence
        score = np.full(self._table.shape, _NEVER, dtype=np.float32)
        score_of_entry = np.empty((self._lefts, tokens), dtype=np.float32)
        began = np.zeros(self._table.shape, dtype=np.int32)
        quiet = np.full((silence, tokens, tokens), _NEVER, dtype=np.float32)
        quiet_began = np.zeros(quiet.shape, dtype=np.int32)
        pair = np.full((tokens, tokens), _NEVER, dtype=np.float32)
        pair[EDGE] = bigram[EDGE]
        everyone = np.arange(tokens)
        for t in range(len(self._heard)):
            ended = quiet[-1] + self._quiet_leave[-1]
            from_pause = ended > pair + no_pause
            ready = np.where(from_pause, ended, pair + no_pause)
            end = np.where(from_pause, quiet_began[-1] - 1, t - 1)
            if self._lefts == 1:
                phone = ready.argmax(axis=0)
                score_of_entry[0] = ready[phone, everyone]
                self._came_end[t, 0], self._came_phone[t, 0] = end[phone, everyone], phone
            else:
                score_of_entry[:] = ready
                self._came_end[t], self._came_phone[t] = end, everyone[:, None]
            _advance(quiet, quiet_began, self._quiet_stay, self._quiet_leave, pair + pause, t)
            quiet += self._heard[t, :silence, None, None]
            _advance(score, began, self._stay, self._leave, score_of_entry[:, :, None], t)
            score += self._heard[t][self._table]
            score[:, :, EDGE] = _NEVER
            # (lefts, tokens, rights): over the left neighbours
            over = score[-1] + self._leave[-1]
            left = over.argmax(axis=0)
            best = np.take_along_axis(over, left[None], axis=0)[0]
            pair = best + bigram
            self._pair_left[t] = left
            self._pair_began[t] = np.take_along_axis(began[-1], left[None], axis=0)[0]
        ended = quiet[-1, :, EDGE] + self._quiet_leave[-1, 0, 0]
        direct = pair[:, EDGE] + no_pause
        final = np.maximum(ended, direct)
        final[EDGE] = _NEVER
        found = int(final.argmax())
        if not np.isfinite(final[found]):
            return [], -np.inf
        last = len(self._heard) - 1
        final_end = last if direct[found] >= ended[found] else int(quiet_began[-1, found, EDGE]) - 1
        return self._trace(found, final_end), float(final[found])

    def _trace(self, phone: int, end: int) -> list[int]:
        found: list[int] = []
        following = EDGE
        while phone != EDGE:
            found.append(phone)
            left, began = self._pair_left[end, phone, following], self._pair_began[end, phone, following]
            end = int(self._came_end[began, left, phone])
            following, phone = phone, int(self._came_phone[began, left, phone])
        return found[::-1]


def _advance(
    score: Float32Array,
    began: NDArray[np.int32],
    stay: Float32Array,
    leave: Float32Array,
    entry: Float32Array,
    t: int,
) -> None:
    """One frame of all phones at once, in place, the last state first, for each looks at the one before."""
    for s in range(len(score) - 1, 0, -1):
        moved = score[s - 1] + leave[s - 1]
        stayed = score[s] + stay[s]
        np.copyto(began[s], began[s - 1], where=moved > stayed)
        np.maximum(moved, stayed, out=score[s])
    stayed = score[0] + stay[0]
    np.copyto(began[0], t, where=entry > stayed)
    np.maximum(entry, stayed, out=score[0])

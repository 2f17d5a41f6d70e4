"""CTC prefix beam search: the likeliest token sequence, its probability summed over all alignments.

A. Y. Hannun et al. 2014, First-pass large vocabulary continuous speech recognition using bi-directional
recurrent DNNs, algorithm 1 without a language model. A prefix is kept with two sums, over its
alignments that end in a blank and over those that end in its last token. For times and word scores
the best alignment of each kind is kept beside the sum.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from edge_asr.arrays import Float32Array, Float64Array, Int32Array, Int64Array
from edge_asr.config import DecoderConfig
from edge_asr.decoder.arena import NONE, Arena
from edge_asr.decoder.detokenizer import Detokenizer, TokenHit
from edge_asr.decoder.posteriors import Posteriors, running
from edge_asr.decoder.prefix_tree import PrefixTree
from edge_asr.decoder.prefixes import Prefixes
from edge_asr.decoder.tokens import BLANK, Tokens
from edge_asr.decoder.trace import Hypothesis, Outcome, WordHit

_FIRST_RECORDS = 1 << 9
_LONGEST = 64
"""About so many of their last tokens prefixes may differ in; before them the best one's hold for all. Later
speech ends no old doubt, and prefixes that differ in old tokens crowd out those that differ in new ones."""
_NOWHERE = -1


class PrefixBeamSearch:
    """One utterance or an endless stream; the verbs are those of ``Search``.

    Any division of the frames over calls of ``push`` gives identical results. A hypothesis' deficit is
    the log posterior of its tokens over all alignments that the beam kept; a word's is that of the best
    alignment of its frames. Memory is bounded: words that all prefixes share are settled, and prefixes
    that differ from the best one in tokens long past are given up.

    Parameters
    ----------
    tokens: names of the columns of the log-probabilities.
    units: what they are: ``phones``, ``characters`` or ``bpe``.
    prefixes: kept per frame at the most.
    beam: prefixes this much (natural log) below the best are dropped.
    token_beam: a prefix is not lengthened by tokens this much below the best token of the frame.
    token_offsets: added to the log-probabilities, one for each token; none where empty.
    """

    def __init__(
        self,
        tokens: Tokens,
        *,
        units: str = "phones",
        prefixes: int = 16,
        beam: float = 14.0,
        token_beam: float = 8.0,
        token_offsets: Sequence[float] = (),
    ) -> None:
        if not (beam > 0 and token_beam > 0) or prefixes < 1:
            got = f"{beam}, {token_beam} and {prefixes}"
            raise ValueError(f"expected beam > 0, token_beam > 0 and prefixes >= 1, got {got}")
        self._detokenizer = Detokenizer(tokens, units)
        self._posteriors = Posteriors(len(tokens), token_offsets)
        self._tokens = len(tokens)
        self._most, self._beam, self._token_beam = prefixes, beam, token_beam
        self.reset()

    @classmethod
    def of(cls, tokens: Tokens, config: DecoderConfig) -> PrefixBeamSearch:
        """As the bundle asks for it."""
        return cls(
            tokens,
            units=config.units,
            prefixes=config.prefixes,
            beam=config.beam,
            token_beam=config.token_beam,
            token_offsets=config.token_offsets,
        )

    def reset(self) -> None:
        """Forget everything: afterwards the search equals a new one."""
        self._frames = 0
        self._sums = 0.0  # what log posteriors are relative to
        self._silence = 0.0  # log posterior of blank in every frame
        self._alive = Prefixes.at_the_start()
        self._tree = PrefixTree(self._tokens)
        self._arena = Arena(_FIRST_RECORDS)
        self._words: list[WordHit] = []  # settled: the trace-back begins after them

    @property
    def active(self) -> int:
        """Prefixes alive."""
        return len(self._alive)

    @property
    def nbytes(self) -> int:
        """Size of the trace-back memory in bytes, settled words not counted."""
        return self._arena.nbytes

    def push(self, log_probs: Float32Array) -> None:
        """Take any number of frames.

        Parameters
        ----------
        log_probs: (frames, tokens) natural logarithms.
        """
        emissions, sums = self._posteriors.normalise(log_probs)
        for emission in emissions:
            self._step(emission)
            self._frames += 1
        self._sums = float(running(self._sums, sums)[-1])
        self._silence = float(running(self._silence, emissions[:, BLANK])[-1])

    def _step(self, emission: Float64Array) -> None:
        """Advance all prefixes by one frame; ``emission`` is (tokens,)."""
        room = min(self._most, len(self._alive) * self._tokens)
        if self._arena.size + room > self._arena.capacity:
            self._collect(room)
        old, count = self._alive, len(self._alive)
        totals, ways, blank_ways = old.totals(), old.best_ways(self._frames), old.blank_ways()

        # The same prefix: a blank after it, or its last token sounding on.
        own = emission[old.lasts]
        blank = totals + emission[BLANK]
        sound, best_sound = old.sound + own, old.best_sound + own

        # Or its last token just now, after its parent; an equal token before needs a blank between.
        child, parent = old.families()
        twice = old.lasts[child] == old.lasts[parent]
        entering = np.where(twice, old.blank[parent], totals[parent]) + own[child]
        sound[child] = np.logaddexp(sound[child], entering)
        entering = np.where(twice, old.best_blank[parent], ways.scores[parent]) + own[child]
        better = entering > best_sound[child]
        best_sound[child[better]] = entering[better]
        entered_from = np.full(count, _NOWHERE)
        entered_from[child[better]] = parent[better]

        # A new prefix: one token more than an old one.
        tokens = 1 + np.flatnonzero(emission[1:] > emission.max() - self._token_beam)
        column = np.full(self._tokens, _NOWHERE)
        column[tokens] = np.arange(tokens.size)
        grown = totals[:, None] + emission[tokens]  # (prefixes,) -> (prefixes, tokens)
        repeating = np.flatnonzero(column[old.lasts] != _NOWHERE)
        grown[repeating, column[old.lasts[repeating]]] = old.blank[repeating] + own[repeating]
        known = np.flatnonzero(column[old.lasts[child]] != _NOWHERE)
        grown[parent[known], column[old.lasts[child[known]]]] = -np.inf

        kept = self._prune(np.concatenate([np.logaddexp(blank, sound), grown.ravel()]))
        stays = kept[: np.searchsorted(kept, count)]
        source, index = np.divmod(kept[stays.size :] - count, max(1, tokens.size))
        token = tokens[index]

        again = stays[entered_from[stays] != _NOWHERE]
        sources = np.concatenate([entered_from[again], source])
        entered = np.concatenate([old.lasts[again], token])
        after = blank_ways.chosen(sources).where(entered == old.lasts[sources], ways.chosen(sources))
        records = self._arena.append(
            after.records,
            entered,
            np.zeros(entered.size),
            self._frames,
            after.scores,
            after.held_until,
            after.held_scores,
        )
        sound_records = old.sound_records.copy()
        sound_records[again] = records[: again.size]
        impossible = np.full(source.size, -np.inf)
        stayed = Prefixes(
            nodes=old.nodes,
            parents=old.parents,
            lasts=old.lasts,
            blank=blank,
            sound=sound,
            best_blank=ways.scores + emission[BLANK],
            best_sound=best_sound,
            blank_records=ways.records,
            held_until=ways.held_until,
            held_scores=ways.held_scores,
            sound_records=sound_records,
        )
        born = Prefixes(
            nodes=self._tree.children(old.nodes[source], token),
            parents=old.nodes[source],
            lasts=token,
            blank=impossible,
            sound=grown[source, index],
            best_blank=impossible,
            best_sound=after.scores[again.size :] + emission[token],
            blank_records=np.full(source.size, NONE, dtype=np.int32),
            held_until=np.zeros(source.size, dtype=np.int32),
            held_scores=np.zeros(source.size),
            sound_records=records[again.size :],
        )
        self._alive = stayed.chosen(stays).joined(born)

    def _prune(self, scores: Float64Array) -> Int64Array:
        """The numbers, ascending, of the candidates to keep."""
        kept = np.flatnonzero(scores > scores.max() - self._beam)
        if kept.size > self._most:
            kept = np.sort(kept[np.argpartition(scores[kept], -self._most)[-self._most :]])
        return kept

    def _collect(self, room: int) -> None:
        """Make room in the arena: settle the words that all prefixes share, forget dead ones."""
        self._drop_stragglers()
        alive, arena = self._alive, self._arena
        chain = arena.shared_chain(self._tips())
        root = NONE
        if chain.size:
            # Only the record after a token tells where it ended.
            until, score = int(arena.held_until[chain[-1]]), float(arena.held_scores[chain[-1]])
            words, closed, settled = self._detokenizer.spell(self._hits(chain[:-1], until, score))
            if settled:
                self._words += words[:closed]
                root = int(chain[settled])
        records = np.concatenate([alive.blank_records, alive.sound_records])
        records = arena.compact(records, root=root, room=room)
        alive.blank_records, alive.sound_records = records[: len(alive)], records[len(alive) :]
        self._tree.keep(alive.nodes)

    def _drop_stragglers(self) -> None:
        """Give up prefixes that differ from the best one in a token long past."""
        alive, arena = self._alive, self._arena
        best = int(alive.totals().argmax())
        chain = arena.chain(int(alive.best_ways(self._frames).records[best]))
        if chain.size <= _LONGEST:
            return
        settled = int(chain[-_LONGEST // 2])
        blank = arena.passing(alive.blank_records, settled)
        sound = arena.passing(alive.sound_records, settled)
        alive.blank = np.where(blank, alive.blank, -np.inf)
        alive.best_blank = np.where(blank, alive.best_blank, -np.inf)
        alive.sound = np.where(sound, alive.sound, -np.inf)
        alive.best_sound = np.where(sound, alive.best_sound, -np.inf)
        self._alive = alive.chosen(alive.totals() > -np.inf)

    def _tips(self) -> Int32Array:
        """Trace-back of every alignment that is possible."""
        alive = self._alive
        return np.concatenate(
            [
                alive.blank_records[alive.best_blank > -np.inf],
                alive.sound_records[alive.best_sound > -np.inf],
            ]
        )

    def _hits(self, chain: Int32Array, until: int, score: float) -> list[TokenHit]:
        """Tokens of a chain of records, oldest first; the last is held ``until``, with ``score`` there."""
        arena = self._arena
        return [
            TokenHit(*entry)
            for entry in zip(
                arena.arcs[chain].tolist(),
                arena.frames[chain].tolist(),
                [*arena.held_until[chain[1:]].tolist(), until],
                arena.scores[chain].tolist(),
                [*arena.held_scores[chain[1:]].tolist(), score],
                strict=False,  # an empty chain has no last token
            )
        ]

    def best(self) -> Hypothesis:
        """The likeliest prefix so far. Changes nothing."""
        shared = self._hits(self._arena.shared_chain(self._tips()), 0, 0.0)
        stable = len(self._words) + self._detokenizer.spell(shared).closed
        return self._trace(int(self._alive.totals().argmax()), "partial", stable_words=stable)

    def finish(self) -> Hypothesis:
        """The likeliest whole utterance, or no words where silence is likelier. Changes nothing."""
        return self.nbest(1)[0]

    def nbest(self, most: int) -> list[Hypothesis]:
        """The likeliest texts, best first, as whole utterances; one of them may be silence.

        Of token sequences that spell the same text the likeliest stands for it.
        """
        if most < 1:
            raise ValueError(f"expected at least one text to be asked for, got {most}")
        totals = self._alive.totals()
        silent = Hypothesis(
            outcome="silence",
            score=self._sums + self._silence,
            silence_score=self._sums + self._silence,
            deficit=self._silence,
            frames=self._frames,
        )
        found: dict[str, Hypothesis] = {}
        for index in np.argsort(-totals, kind="stable").tolist():
            if self._silence >= totals[index]:
                found.setdefault("", silent)
            hypothesis = self._trace(index, "complete", stable_words=None)
            found.setdefault(hypothesis.text, hypothesis)
            if len(found) >= most:
                break
        found.setdefault("", silent)
        return list(found.values())[:most]

    def _trace(self, index: int, outcome: Outcome, *, stable_words: int | None) -> Hypothesis:
        """The best alignment of one prefix; ``stable_words`` None: all of them."""
        way = self._alive.best_ways(self._frames).chosen(np.array([index]))
        chain = self._arena.chain(int(way.records[0]))
        hits = self._hits(chain, int(way.held_until[0]), float(way.held_scores[0]))
        words = (*self._words, *self._detokenizer.spell(hits).words)
        total = float(self._alive.totals()[index])
        return Hypothesis(
            outcome="silence" if outcome == "complete" and not words else outcome,
            words=words,
            score=self._sums + total,
            silence_score=self._sums + self._silence,
            deficit=min(0.0, total),
            frames=self._frames,
            stable_words=len(words) if stable_words is None else stable_words,
        )

"""Decoders of others that take the same log-probabilities, behind one face; each from a wheel of its own."""

from __future__ import annotations

import itertools
import time
from typing import NamedTuple

import numpy as np

from benchmarks.transducer import Transducer
from edge_asr.arrays import Float32Array
from edge_asr.decoder.graph import Graph
from edge_asr.decoder.tokens import BLANK, Tokens


class Answer(NamedTuple):
    """What a decoder found."""

    words: tuple[str, ...]
    """Words, or tokens where there are no words."""
    score: float
    """Natural log; -inf where no sentence was whole."""
    cpu_s: float
    """Processor time of the decoding alone."""


class KaldiDecoder:
    """kaldi-decoder's FasterDecoder: Viterbi with a beam over a transducer, C++."""

    packages = ("kaldi-decoder", "kaldifst")
    modules = ("kaldi_decoder", "kaldifst")

    def __init__(self, graph: Graph) -> None:
        import kaldifst

        self._words = [output.word for output in graph.outputs]
        self._fst = kaldifst.StdConstFst(kaldifst.compile(Transducer.of(graph).text()))

    def decode(self, log_probs: Float32Array, *, beam: float, max_active: int) -> Answer:
        """The best whole sentence in (frames, tokens)."""
        import kaldi_decoder
        import kaldifst

        options = kaldi_decoder.FasterDecoderOptions(beam=beam, max_active=max_active)
        decoder = kaldi_decoder.FasterDecoder(self._fst, options)
        frames = kaldi_decoder.DecodableCtc(log_probs)
        started = time.thread_time()
        decoder.decode(frames)
        whole = decoder.reached_final()
        _, path = decoder.get_best_path()
        _, _, outputs, weight = kaldifst.get_linear_symbol_sequence(path)
        cpu_s = time.thread_time() - started
        if not whole:
            return Answer((), -np.inf, cpu_s)
        words = tuple(self._words[output - 1] for output in outputs)
        return Answer(words, -(weight.value1 + weight.value2), cpu_s)


class FlashlightDecoder:
    """flashlight-text's LexiconFreeDecoder: prefix beam search that adds up alignments, C++.

    It keeps a prefix that ends in a blank and the same that ends in its token as two hypotheses.
    """

    packages = ("flashlight-text",)
    modules = ("flashlight",)

    def __init__(self, tokens: Tokens) -> None:
        from flashlight.lib.text.decoder import ZeroLM

        self._tokens = tokens
        self._lm = ZeroLM()

    def decode(self, log_probs: Float32Array, *, beam: float, hypotheses: int) -> Answer:
        """The likeliest tokens in (frames, tokens)."""
        from flashlight.lib.text.decoder import CriterionType, LexiconFreeDecoder, LexiconFreeDecoderOptions

        options = LexiconFreeDecoderOptions(
            beam_size=hypotheses,
            beam_size_token=len(self._tokens),
            beam_threshold=beam,
            lm_weight=0.0,
            sil_score=0.0,
            log_add=True,
            criterion_type=CriterionType.CTC,
        )
        decoder = LexiconFreeDecoder(options, self._lm, -1, BLANK, [])
        frames = np.ascontiguousarray(log_probs, dtype=np.float32)
        started = time.thread_time()
        best = decoder.decode(frames.ctypes.data, *frames.shape)[0]
        cpu_s = time.thread_time() - started
        tokens = (token for token, _ in itertools.groupby(best.tokens) if token > BLANK)
        return Answer(tuple(self._tokens.names[token] for token in tokens), best.score, cpu_s)

"""One utterance on its way from samples to a hypothesis."""

from __future__ import annotations

from edge_asr.acoustic import Engine
from edge_asr.acoustic.chunking import AcousticModel
from edge_asr.arrays import Float32Array
from edge_asr.config import BundleConfig
from edge_asr.decoder.confidence import speech_margin, utterance_confidence, word_confidence
from edge_asr.decoder.graph import Graph
from edge_asr.decoder.ngram_search import NgramSearch
from edge_asr.decoder.search import Search
from edge_asr.decoder.trace import Hypothesis
from edge_asr.events import Event, Final, Intent, Rejected, Word
from edge_asr.features.cmvn import Cmvn
from edge_asr.features.mfcc import Mfcc
from edge_asr.stage import Chain
from edge_asr.understand.intent import interpret


class Utterance:
    """Front-end, acoustic model and search in a row; reset between utterances.

    Parameters
    ----------
    config: the bundle's.
    engine: shared by all streams.
    graph: what can be said.
    free_text: whether that is anything, and no grammar.
    """

    def __init__(self, config: BundleConfig, engine: Engine, graph: Graph, free_text: bool) -> None:
        self._acoustic = config.acoustic
        self._shift_s = config.mfcc.frame_shift_ms / 1000
        self._stages = Chain([Mfcc(config.mfcc), Cmvn(config.cmvn), AcousticModel(engine, config.acoustic)])
        self._decoder = config.decoder
        self._search = self._next_search = self._make_search(graph, free_text)
        self._starts_at_s = 0.0

    def use(self, graph: Graph, free_text: bool) -> None:
        """Search this graph from the next ``begin`` on."""
        self._next_search = self._make_search(graph, free_text)

    def _make_search(self, graph: Graph, free_text: bool) -> Search:
        decoder = self._decoder
        search = NgramSearch if graph.lm else Search
        return search(
            graph,
            beam=decoder.beam,
            max_active=decoder.max_active,
            token_offsets=decoder.token_offsets if free_text else decoder.grammar_token_offsets,
        )

    def begin(self, at_s: float) -> None:
        """Start a new utterance at this time of the stream."""
        self._stages.reset()
        self._search = self._next_search
        self._search.reset()
        self._starts_at_s = at_s

    def push(self, samples: Float32Array) -> str | None:
        """Take (n,) samples at 16 kHz; return the best text so far if any frame was decoded."""
        log_probs = self._stages.push(samples)
        if not len(log_probs):
            return None
        self._search.push(log_probs)
        return self._search.best().text

    def finish(self, *, at_s: float, reason: str) -> list[Event]:
        """End the utterance: its Final and, where the grammar says one, its Intent; or Rejected."""
        self._search.push(self._stages.flush())
        hypothesis = self._search.finish()
        confidence = round(utterance_confidence(hypothesis), 4)
        if not hypothesis.words:
            silent = hypothesis.outcome == "silence" or hypothesis.frames == 0
            return [Rejected(at_s=at_s, reason="silence" if silent else "out_of_grammar")]
        if speech_margin(hypothesis) < self._decoder.speech_margin:
            return [Rejected(at_s=at_s, reason="silence")]
        if confidence < self._decoder.reject_below:
            return [Rejected(at_s=at_s, reason="out_of_grammar")]
        words = self._words(hypothesis)
        text = hypothesis.text
        events: list[Event] = [Final(at_s=at_s, text=text, confidence=confidence, words=words, reason=reason)]
        path = [(hit.word, hit.marks) for hit in hypothesis.words]
        meaning = interpret([*path, (None, hypothesis.marks)])
        if meaning is not None:
            events.append(
                Intent(at_s=at_s, name=meaning.intent, slots=meaning.slots, text=text, confidence=confidence)
            )
        return events

    def _words(self, hypothesis: Hypothesis) -> tuple[Word, ...]:
        """Words with times on the stream's clock; the model's mean lateness is taken off."""

        def at_s(frame: int) -> float:
            heard = frame * self._acoustic.subsampling - self._acoustic.delay_frames
            return round(self._starts_at_s + max(0, heard) * self._shift_s, 3)

        return tuple(
            Word(
                word=hit.word,
                start_s=at_s(hit.start_frame),
                end_s=at_s(hit.end_frame),
                confidence=round(word_confidence(hit), 4),
            )
            for hit in hypothesis.words
        )

"""The recognizer: a loaded model, shared by threads, and its streams, one per source of audio."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from edge_asr.acoustic import create_engine
from edge_asr.arrays import Float32Array
from edge_asr.audio.pcm import check_samples
from edge_asr.audio.resample import Resampler
from edge_asr.bundle import G2P, LEXICON, TOKENS, WORD_LOOP, Bundle
from edge_asr.decoder.compile import compile_networks
from edge_asr.decoder.g2p import G2p
from edge_asr.decoder.grammar import load_grammar
from edge_asr.decoder.graph import Graph
from edge_asr.decoder.lexicon import Lexicon
from edge_asr.decoder.network import WordNetwork
from edge_asr.decoder.tokens import Tokens
from edge_asr.decoder.vocabulary import Ways, cover, find_ways, wanted_words, with_ways
from edge_asr.decoder.word_loop import Addition, extend_word_loop
from edge_asr.decoder.word_report import WordReport
from edge_asr.events import Event, Gap, Partial, SpeechStarted
from edge_asr.utterance import Utterance
from edge_asr.vad import create_vad
from edge_asr.vad.gate import Gate, SpeechAudio, SpeechClosed, SpeechOpened
from edge_asr.vad.segmenter import SegmenterConfig

DEFAULT_MODEL = "en-small"
"""Model that is loaded where none is named."""

NEW_WORD_LOG_PROB = -9.2
"""Of an added word in free text: once in ten thousand words. Who adds a word will say it; as a rare word of
the language model (-12) fewer than half are heard (benchmarks/new_words.py)."""

BRIDGED_GAP_S = 0.5
"""Lost audio up to this long is heard as silence within the utterance; a longer gap ends it."""


class Recognizer:
    """A loaded model. Any number of threads may open streams on it, compile and add words.

    Nothing that it hands out ever changes: words are added by putting a new lexicon and a new graph in
    the place of the old ones, in one step. A stream that is open goes on with what it was opened with.

    Parameters
    ----------
    bundle: a verified bundle.
    engine: inference engine, a key of ``edge_asr.acoustic.ENGINES``.
    threads: that the engine may use for one step.

    Raises
    ------
    BundleError, MissingExtraError, UsageError: the model or the engine cannot be had.
    """

    def __init__(self, bundle: Bundle, *, engine: str = "onnx", threads: int = 1) -> None:
        self.bundle = bundle
        self._engine = create_engine(engine, bundle, threads)
        self._tokens = Tokens.load(bundle.path(TOKENS))
        self._lexicon: Lexicon | None = None
        self._g2p: G2p | None = None
        self._word_loop: Graph | None = None
        self._awaiting: list[Addition] = []  # for the word loop, until it is loaded
        self._loading = threading.RLock()

    @classmethod
    def load(
        cls, name_or_path: str | Path = DEFAULT_MODEL, *, engine: str = "onnx", threads: int = 1
    ) -> Recognizer:
        """Load a packaged model by name, or a bundle's directory; errors as in the class."""
        return cls(Bundle.load(name_or_path), engine=engine, threads=threads)

    @property
    def sample_rate_hz(self) -> int:
        """Rate at which the model hears; streams resample to it."""
        return self.bundle.config.mfcc.sample_rate_hz

    @property
    def lexicon(self) -> Lexicon:
        """Pronunciations of all words that grammars may use."""
        # Read on first use: free text needs only its ready graph.
        with self._loading:
            if self._lexicon is None:
                self._lexicon = Lexicon.load(self.bundle.path(LEXICON), self._tokens)
            return self._lexicon

    @property
    def g2p(self) -> G2p | None:
        """What guesses the pronunciation of unknown words; None where the bundle brings nothing for it."""
        with self._loading:
            if self._g2p is None and G2P in self.bundle.config.files:
                self._g2p = G2p(self.bundle.path(G2P), self._tokens)
            return self._g2p

    def word_loop(self) -> Graph:
        """The graph for free text: the bundle's, and the words added so far."""
        with self._loading:
            if self._word_loop is None:
                graph, decoder = Graph.load(self.bundle.path(WORD_LOOP)), self.bundle.config.decoder
                # Without a language model the weights were applied when the bundle was packed.
                graph = graph.weighed(decoder.lm_scale, decoder.word_penalty) if graph.lm else graph
                self._word_loop = replace(graph, free_text=True)
                for addition in self._awaiting:
                    self._extend_word_loop(addition)
                self._awaiting.clear()
            return self._word_loop

    def add_words(
        self, words: Iterable[str] | Mapping[str, Ways], *, log_prob: float = NEW_WORD_LOG_PROB
    ) -> WordReport:
        """Make words known to free text and to the grammars compiled from now on.

        A word that the lexicon lacks and that comes without a pronunciation is guessed; the report says
        which and how. Streams opened and graphs compiled before stay as they are. Safe in any thread:
        two threads that add words both get theirs in.

        Parameters
        ----------
        words: as they are to be written in results, or each with its pronunciation ("L AH M UW N"),
            several of them, the usual one first, or None. Yours come before the lexicon's.
        log_prob: how likely each is in free text, natural log; not for words that free text has.

        Raises
        ------
        UsageError: a word with spaces, a phone that the model lacks, or words that cannot be guessed.
            Then none is added.
        """
        wanted = wanted_words(words)
        with self._loading:
            before = self.lexicon
            report = find_ways(wanted, before, lambda: self.g2p)
            self._lexicon = with_ways(before, report)
            ways = {word: self._lexicon.pronunciations(word) for word in wanted}
            known = {word: before.pronunciations(word) for word in wanted}
            addition = Addition(
                ways=ways,
                further={word: [way for way in ways[word] if way not in known[word]] for word in wanted},
                log_prob=log_prob,
            )
            if self._word_loop is None:
                self._awaiting.append(addition)
            else:
                self._extend_word_loop(addition)
        return report

    def _extend_word_loop(self, addition: Addition) -> None:
        decoder = self.bundle.config.decoder
        assert self._word_loop is not None
        self._word_loop = extend_word_loop(
            self._word_loop, addition, scale=decoder.lm_scale, word_penalty=decoder.word_penalty
        )

    def compile(self, grammars: Iterable[WordNetwork | str | Path], *, strict: bool = False) -> Graph:
        """The graph that accepts the sentences of all given grammars (networks or files).

        Words that the lexicon lacks are guessed where the bundle can; ``guessed`` of the graph names
        them with their pronunciations. The recognizer does not keep them: ``add_words`` does.

        Parameters
        ----------
        strict: refuse unknown words instead.

        Raises
        ------
        GrammarError: a mistake in a grammar, or words that no one can pronounce, by name and line.
        """
        networks = [g if isinstance(g, WordNetwork) else load_grammar(Path(g)) for g in grammars]
        lexicon = self.lexicon
        unknown = [w for network in networks for w, _ in network.vocabulary() if w not in lexicon]
        if not unknown or strict or (g2p := self.g2p) is None:
            return compile_networks(networks, lexicon)
        lexicon, guessed = cover(list(dict.fromkeys(unknown)), lexicon, g2p)
        return replace(compile_networks(networks, lexicon), guessed=guessed)

    def stream(
        self,
        *,
        sample_rate_hz: int | None = None,
        graph: Graph | None = None,
        vad: str | None = None,
        segmenter: SegmenterConfig | None = None,
    ) -> Stream:
        """Open a stream.

        Parameters
        ----------
        sample_rate_hz: of the audio that will come; None is the model's own.
        graph: from ``compile``; None is free text.
        vad: voice activity detector (a key of ``edge_asr.vad.VADS``) that cuts the stream into
            utterances; None takes the whole stream for one utterance.
        segmenter: when an utterance starts and ends; only with ``vad``.
        """
        graph = graph or self.word_loop()
        return Stream(
            self,
            Utterance(self.bundle.config, self._engine, graph, free_text=graph.free_text),
            sample_rate_hz=sample_rate_hz or self.sample_rate_hz,
            gate=Gate(create_vad(vad), segmenter) if vad else None,
        )


class Stream:
    """One source of audio; for one thread at a time. Open it with ``Recognizer.stream``."""

    def __init__(
        self, recognizer: Recognizer, utterance: Utterance, *, sample_rate_hz: int, gate: Gate | None
    ) -> None:
        self.sample_rate_hz = sample_rate_hz
        self._model_rate_hz = recognizer.sample_rate_hz
        self._resampler = Resampler(sample_rate_hz, self._model_rate_hz)
        self._utterance = utterance
        self._gate = gate
        self._taken = 0  # samples of the source so far: the stream's clock
        self._origin_s = 0.0  # where the resampler and the gate count from
        self._text = ""
        self._begun = False

    @property
    def at_s(self) -> float:
        """Audio consumed so far, gaps included, in seconds."""
        return round(self._taken / self.sample_rate_hz, 6)

    def accept_waveform(self, samples: Float32Array) -> list[Event]:
        """Take any number of mono samples in [-1, 1] at the stream's rate; return what they brought.

        Raises
        ------
        AudioError: NaN or infinite samples; the stream is as if they had not been given.
        """
        samples = np.asarray(samples, dtype=np.float32)
        check_samples(samples, sample_rate_hz=self.sample_rate_hz, first_sample=self._taken)
        self._taken += samples.size
        return self._hear(self._resampler.push(samples))

    def skip(self, samples: int) -> list[Event]:
        """Tell the stream that the source lost this many samples here: a Gap, and what it brought."""
        duration_s = samples / self.sample_rate_hz
        if duration_s <= BRIDGED_GAP_S:
            self._taken += samples
            events = self._hear(self._resampler.push(np.zeros(samples, dtype=np.float32)))
        else:
            events = self._end()
            self._taken += samples
            self._origin_s = self.at_s
        return [*events, Gap(at_s=self.at_s, duration_s=round(duration_s, 6))]

    def finish(self) -> list[Event]:
        """The source has ended: return the last events. The stream may then be used anew."""
        events = self._end()
        self._taken, self._origin_s = 0, 0.0
        return events

    def _end(self) -> list[Event]:
        """Flush everything and make all stages new."""
        events = self._hear(self._resampler.flush())
        if self._gate is not None:
            events += self._follow(self._gate.flush())
            self._gate.reset()
        else:
            self._begin(self._origin_s)
            events += self._close("end_of_audio")
        self._resampler.reset()
        return events

    def _hear(self, samples: Float32Array) -> list[Event]:
        """Samples at the model's rate."""
        if self._gate is not None:
            return self._follow(self._gate.push(samples))
        self._begin(self._origin_s)
        return self._decode(samples)

    def _follow(self, pieces: list[SpeechOpened | SpeechAudio | SpeechClosed]) -> list[Event]:
        """Decode what the gate lets through."""
        events: list[Event] = []
        for piece in pieces:
            match piece:
                case SpeechOpened():
                    self._begin(self._origin_s + piece.at_sample / self._model_rate_hz)
                    events.append(SpeechStarted(at_s=self.at_s))
                case SpeechAudio():
                    events += self._decode(piece.samples)
                case SpeechClosed():
                    events += self._close(piece.reason)
        return events

    def _begin(self, at_s: float) -> None:
        if not self._begun:
            self._utterance.begin(at_s)
            self._begun, self._text = True, ""

    def _decode(self, samples: Float32Array) -> list[Event]:
        text = self._utterance.push(samples)
        if text is None or text == self._text:
            return []
        self._text = text
        return [Partial(at_s=self.at_s, text=text)]

    def _close(self, reason: str) -> list[Event]:
        self._begun = False
        return self._utterance.finish(at_s=self.at_s, reason=reason)

"""The recognizer: a loaded model, shared by threads, and its streams, one per source of audio."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from edge_asr.acoustic import create_engine
from edge_asr.arrays import Float32Array
from edge_asr.audio.pcm import check_samples
from edge_asr.audio.resample import Resampler
from edge_asr.bundle import LEXICON, TOKENS, WORD_LOOP, Bundle
from edge_asr.decoder.compile import compile_networks
from edge_asr.decoder.grammar import load_grammars
from edge_asr.decoder.grammar.rejects import Reject
from edge_asr.decoder.graph import Graph
from edge_asr.decoder.lexicon import Lexicon
from edge_asr.decoder.network import WordNetwork
from edge_asr.decoder.tokens import Tokens
from edge_asr.errors import UsageError
from edge_asr.events import Event, Gap, Partial, SpeechStarted
from edge_asr.utterance import Utterance
from edge_asr.vad import create_vad
from edge_asr.vad.gate import Gate, SpeechAudio, SpeechClosed, SpeechOpened
from edge_asr.vad.segmenter import SegmenterConfig

DEFAULT_MODEL = "en-small"
"""Model that is loaded where none is named."""

BRIDGED_GAP_S = 0.5
"""Lost audio up to this long is heard as silence within the utterance; a longer gap ends it."""


class Recognizer:
    """A loaded model. Immutable; any number of threads may open streams on it.

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
        self._word_loop: Graph | None = None
        self._loading = threading.Lock()

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
        # Read on first use: free text needs only its ready graph. A race would merely read it twice.
        if self._lexicon is None:
            self._lexicon = Lexicon.load(self.bundle.path(LEXICON), self._tokens)
        return self._lexicon

    def word_loop(self) -> Graph:
        """The bundle's graph for free text."""
        # There is only one, since a stream tells by it that it hears free text.
        with self._loading:
            if self._word_loop is None:
                graph, decoder = Graph.load(self.bundle.path(WORD_LOOP)), self.bundle.config.decoder
                # Without a language model the weights were applied when the bundle was packed.
                self._word_loop = graph.weighed(decoder.lm_scale, decoder.word_penalty) if graph.lm else graph
            return self._word_loop

    def compile(
        self, grammars: Iterable[WordNetwork | str | Path], rejects: list[Reject] | None = None
    ) -> Graph:
        """The graph that accepts the sentences of all given grammars (networks or files).

        A mistake is raised unless you hand in a list: nothing of a grammar is left out in silence. ::

            graph = recognizer.compile(["home.yaml"])           # all of it, or GrammarError
            rejects = []
            graph = recognizer.compile(["home.yaml"], rejects)  # what is right of it; rejects tells the rest

        Parameters
        ----------
        rejects: takes note of what is left out: rules, alternatives, sentences and list values with a
            mistake or with a word that the lexicon lacks, and files of which nothing is left.

        Raises
        ------
        GrammarError: a mistake in a grammar, or words that the lexicon lacks, by name and line; with
            ``rejects`` only where no sentence is left at all, or the whole is too large.
        """
        networks = load_grammars(grammars, rejects)
        return compile_networks(networks, self.lexicon, rejects)

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
        return Stream(
            self,
            Utterance(self.bundle.config, self._engine, *self._heard(graph)),
            sample_rate_hz=sample_rate_hz or self.sample_rate_hz,
            gate=Gate(create_vad(vad), segmenter) if vad else None,
        )

    def _heard(self, graph: Graph | None) -> tuple[Graph, bool]:
        """The graph to search, and whether it is that of free text.

        Raises
        ------
        UsageError: it was compiled for another model.
        """
        if graph is None or graph is self._word_loop:
            return self.word_loop(), True
        if graph.tokens != self._tokens.names:
            raise UsageError(f"expected a graph that {self.bundle.config.name} compiled, got another model's")
        return graph, False


class Stream:
    """One source of audio; for one thread at a time. Open it with ``Recognizer.stream``."""

    def __init__(
        self, recognizer: Recognizer, utterance: Utterance, *, sample_rate_hz: int, gate: Gate | None
    ) -> None:
        self.sample_rate_hz = sample_rate_hz
        self._recognizer = recognizer
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

    def use(self, graph: Graph | None) -> None:
        """Hear another grammar from the next utterance on; None is free text.

        An utterance that has begun ends with the grammar that it began with; where none has, the change
        takes effect at once. No audio is lost either way. Of two changes within one utterance the later
        one counts.

        Raises
        ------
        UsageError: the graph was compiled for another model.
        """
        self._utterance.use(*self._recognizer._heard(graph))

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

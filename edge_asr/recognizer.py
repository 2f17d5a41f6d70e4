"""The recognizer: a loaded model, shared by threads, and its streams, one per source of audio."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from edge_asr.acoustic import create_engine
from edge_asr.arrays import Float32Array
from edge_asr.audio.pcm import check_samples
from edge_asr.audio.resample import Resampler
from edge_asr.bundle import LEXICON, TOKENS, WORD_LOOP, Bundle
from edge_asr.decoder.compile import compile_network, compile_networks
from edge_asr.decoder.grammar import load_grammar
from edge_asr.decoder.grammar.word_list import Entries, list_network
from edge_asr.decoder.graph import Graph
from edge_asr.decoder.join import join
from edge_asr.decoder.lexicon import Lexicon
from edge_asr.decoder.network import ANYTHING, WordNetwork
from edge_asr.decoder.open_words import OpenWords, open_words_graph
from edge_asr.decoder.tokens import Tokens
from edge_asr.errors import GrammarError
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
        self._open_words: tuple[OpenWords, Graph] | None = None
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
        self,
        grammars: Iterable[WordNetwork | str | Path],
        *,
        lists: Mapping[str, Entries] | None = None,
        open_words: OpenWords | None = None,
    ) -> Graph:
        """The graph that accepts the sentences of all given grammars (networks or files).

        Parameters
        ----------
        lists: entries of the grammars' run-time lists by name, as for ``join``, which may also be
            called later: until then nothing can be said in the place of a list.
        open_words: which words the grammars' open slots hear; None is ``OpenWords()``.

        Raises
        ------
        GrammarError: a mistake in a grammar, or words that the lexicon lacks, by name and line.
        """
        networks = [g if isinstance(g, WordNetwork) else load_grammar(Path(g)) for g in grammars]
        graph = compile_networks(networks, self.lexicon)
        if any(hole.placeholder == ANYTHING for hole in graph.holes):
            graph = join(graph, {ANYTHING: self._open_words_graph(open_words or OpenWords())})
        return self.join(graph, lists) if lists else graph

    def join(self, graph: Graph, lists: Mapping[str, Entries]) -> Graph:
        """A loaded graph with entries in its run-time lists, in milliseconds; ``graph`` stays as it is.

        Keep ``graph`` to join other entries later::

            loaded = recognizer.compile(["phone.jsgf"])
            graph = recognizer.join(loaded, {"contact": ["ann smith", "bob"]})

        Parameters
        ----------
        lists: by name, the texts that can be said, or a mapping from each to the slot's value for it.
            Lists that are not named stay empty.

        Raises
        ------
        GrammarError: no grammar of ``graph`` has a list of that name, an entry that cannot be spoken,
            or words that the lexicon lacks, each by name and place in the list.
        """
        known = {hole.placeholder.list for hole in graph.holes} - {ANYTHING.list}
        if unknown := sorted(lists.keys() - known):
            raise GrammarError(
                f"no grammar has an empty run-time list {unknown[0]!r}; "
                + (f"it has {', '.join(sorted(known))}" if known else "it has none")
            )
        places = {hole.placeholder for hole in graph.holes if hole.placeholder.list in lists}
        networks = {place: list_network(place, lists[place.list]) for place in places}
        blocks = {
            place: compile_network(network, self.lexicon)
            for place, network in networks.items()
            if network.arcs
        }
        return join(graph, blocks)

    def _open_words_graph(self, open_words: OpenWords) -> Graph:
        """The same for all grammars, so the latest is kept."""
        kept = self._open_words
        if kept is None or kept[0] != open_words:
            kept = open_words, open_words_graph(self.word_loop(), self.lexicon, open_words)
            self._open_words = kept
        return kept[1]

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
        free_text = graph is None or graph is self._word_loop
        return Stream(
            self,
            Utterance(self.bundle.config, self._engine, graph or self.word_loop(), free_text=free_text),
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

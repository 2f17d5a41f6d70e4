"""The recognizer: a loaded model, shared by threads, that opens streams, one per source of audio."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path

from edge_asr.acoustic import choose_engine, create_engine, installed_engines
from edge_asr.bundle import LEXICON, PHONE_LOOP, WORD_LOOP, Bundle
from edge_asr.decoder import GRAPH, SEARCHES, Decoder, create_free_search, create_graph_search
from edge_asr.decoder.biasing import Phrases, read_phrases
from edge_asr.decoder.compiler import Compiler, Guesser
from edge_asr.decoder.endpoint import PRESETS, EndpointConfig
from edge_asr.decoder.g2p import G2p
from edge_asr.decoder.grammar import load_grammars
from edge_asr.decoder.grammar.rejects import Reject
from edge_asr.decoder.grammar.word_list import Entries
from edge_asr.decoder.graph import Graph
from edge_asr.decoder.lexicon import Lexicon
from edge_asr.decoder.network import WordNetwork
from edge_asr.decoder.open_words import OpenWords
from edge_asr.decoder.presets import DEFAULT_REJECTION, least_confidence, presets
from edge_asr.decoder.rescoring import Rescorer
from edge_asr.decoder.tokens import Tokens
from edge_asr.decoder.vocabulary import Ways, find_ways, wanted_words, with_ways
from edge_asr.decoder.word_loop import Addition, extend_word_loop
from edge_asr.decoder.word_report import WordReport
from edge_asr.errors import BundleError, UsageError
from edge_asr.stream import Stream
from edge_asr.trust import keys_in_force
from edge_asr.utterance import Hearing, Utterance
from edge_asr.vad import create_vad
from edge_asr.vad.gate import Gate
from edge_asr.vad.segmenter import SegmenterConfig

DEFAULT_MODEL = "en-small"
"""Model that is loaded where none is named."""

NEW_WORD_LOG_PROB = -9.2
"""Of an added word in free text: once in ten thousand words. Who adds a word will say it; as a rare word of
the language model (-12.2), half of them were heard where three in four are so (benchmarks/new_words.py)."""

_BACKGROUND_BEAM = 10.0
"""All phones but those that the network is sure not to hear."""


class Recognizer:
    """A loaded model. Any number of threads may open streams on it, compile and add words.

    Nothing that it hands out ever changes: words are added by putting a new lexicon and a new graph in
    the place of the old ones, in one step. A stream that is open goes on with what it was opened with.

    Parameters
    ----------
    bundle: a verified bundle.
    engine: inference engine, a key of ``edge_asr.acoustic.ENGINES``, or ``onnx:cuda`` and the like; None is
        the first of them that is installed and that the bundle has a file for.
    threads: that the engine may use for one step.
    search: how free text is searched, one of ``edge_asr.decoder.SEARCHES``; None is as the bundle says.

    Raises
    ------
    BundleError, MissingExtraError, UsageError: the model, the engine or the search cannot be had.
    """

    def __init__(
        self, bundle: Bundle, *, engine: str | None = None, threads: int = 1, search: str | None = None
    ) -> None:
        self.bundle = bundle
        self.search = search or bundle.config.decoder.kind
        if self.search not in SEARCHES:
            wrong = f"no search {self.search!r}: expected one of {', '.join(SEARCHES)}"
            raise UsageError(wrong) if search else BundleError(f"{bundle.directory}: decoder.kind: {wrong}")
        self.engine = engine or choose_engine(bundle.config.acoustic, installed_engines())
        """Name of the inference engine that was asked for or chosen."""
        self._engine = create_engine(self.engine, bundle, threads)
        self._tokens = Tokens.of_bundle(bundle)
        self._lexicon: Lexicon | None = None
        self._g2p: G2p | None = None
        self._g2p_sought = False
        self._word_loop: Graph | None = None
        self._phone_loop: Graph | None = None
        self._rescorer: Rescorer | None = None
        self._compiler = Compiler(self.word_loop)
        self._awaiting: list[Addition] = []  # for the word loop, until it is loaded
        self._loading = threading.RLock()

    @classmethod
    def load(
        cls,
        name_or_path: str | Path = DEFAULT_MODEL,
        *,
        engine: str | None = None,
        threads: int = 1,
        search: str | None = None,
        require_signature: bool | None = None,
        trust: str | Path | None = None,
    ) -> Recognizer:
        """Load a packaged model by name, or a bundle's directory; errors as in the class and ``Bundle.load``.

        ``trust`` names a file of keys of which one must have signed it; for None see ``keys_in_force``.
        """
        bundle = Bundle.load(name_or_path, trusted=keys_in_force(require_signature, trust))
        return cls(bundle, engine=engine, threads=threads, search=search)

    @property
    def sample_rate_hz(self) -> int:
        """Rate at which the model hears; streams resample to it."""
        return self.bundle.config.mfcc.sample_rate_hz

    @property
    def lexicon(self) -> Lexicon:
        """Pronunciations of all words that grammars may use; UsageError where the bundle has none."""
        self._require_lexicon()
        # Read on first use: free text needs only its ready graph.
        with self._loading:
            if self._lexicon is None:
                self._lexicon = Lexicon.load(self.bundle.path(LEXICON), self._tokens)
            return self._lexicon

    def _require_lexicon(self) -> None:
        if LEXICON not in self.bundle.config.files:
            raise UsageError(
                f"{self.bundle.directory}: a grammar needs the pronunciations of its words, as added words "
                f"do, and this bundle has no {LEXICON}, only tokens ({self.bundle.config.decoder.units}): "
                "leave them out, or choose a bundle with a lexicon"
            )

    @property
    def g2p(self) -> G2p | None:
        """What guesses unknown words: the bundle's model, else the package's for its language, if any."""
        with self._loading:
            if not self._g2p_sought:
                self._g2p = G2p.of_bundle(self.bundle, self._tokens)
                self._g2p_sought = True
            return self._g2p

    def word_loop(self) -> Graph:
        """The graph for free text: the bundle's, and the words added so far."""
        with self._loading:
            if self._word_loop is None:
                graph, decoder = Graph.load(self.bundle.path(WORD_LOOP)), self.bundle.config.decoder
                # Without a language model the weights were applied when the bundle was packed.
                graph = graph.weighed(decoder.lm_scale, decoder.word_penalty) if graph.lm else graph
                self._word_loop = dataclasses.replace(graph, free_text=True)
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
        config, loop = self.bundle.config.decoder, self._word_loop
        assert loop is not None
        scale, penalty = config.lm_scale, config.word_penalty
        self._word_loop = extend_word_loop(loop, addition, scale=scale, word_penalty=penalty)

    def phrases(self, boosts: Mapping[str, float]) -> Phrases | None:
        """Phrases of free text -> what ``Stream.bias`` takes; None where there are none.

        Parameters
        ----------
        boosts: phrase -> bonus for each of its words (natural log); 2 makes one about seven times likelier.

        Raises
        ------
        UsageError: no language model; and as ``read_phrases``.
        """
        loop = self.word_loop() if WORD_LOOP in self.bundle.config.files else None
        if loop is None or loop.lm is None:
            name = self.bundle.config.name
            raise UsageError(f"{name}: phrases need a language model, which it does not bring")
        return read_phrases(boosts, {said.word: number for number, said in enumerate(loop.outputs)}, loop.lm)

    def phone_loop(self) -> Graph | None:
        """All phone sequences, weighed by a bigram; None where the bundle brings none."""
        if self._phone_loop is None and PHONE_LOOP in self.bundle.config.files:
            self._phone_loop = Graph.load(self.bundle.path(PHONE_LOOP))
        return self._phone_loop

    def rescorer(self) -> Rescorer | None:
        """What re-scores free text, if the bundle brings it; errors as in ``Rescorer.of_bundle``."""
        with self._loading:
            if self._rescorer is None and self.word_loop().lm:
                self._rescorer = Rescorer.of_bundle(self.bundle)
            return self._rescorer

    @property
    def rejection_presets(self) -> tuple[str, ...]:
        """Names that ``stream`` takes for ``rejection``."""
        return presets(self.bundle.config)

    def compile(
        self,
        grammars: Iterable[WordNetwork | str | Path],
        rejects: list[Reject] | None = None,
        *,
        strict: bool = False,
        lists: Mapping[str, Entries] | None = None,
        open_words: OpenWords | None = None,
    ) -> Graph:
        """The graph that accepts the sentences of all given grammars (networks or files).

        Words that the lexicon lacks are guessed where the bundle can; ``guessed`` of the graph names
        them with their pronunciations. The recognizer does not keep them: ``add_words`` does.
        A mistake is raised unless you hand in a list: nothing of a grammar is left out in silence. ::

            graph = recognizer.compile(["home.yaml"])           # all of it, or GrammarError
            rejects = []
            graph = recognizer.compile(["home.yaml"], rejects)  # what is right of it; rejects tells the rest

        Parameters
        ----------
        rejects: takes note of what is left out: rules, alternatives, sentences, list values and entries of
            ``lists`` with a mistake or with a word that no one can pronounce, and files of which nothing is
            left.
        strict: refuse unknown words instead of guessing them, and mistakes whether noted or not.
        lists: entries of the grammars' run-time lists by name, as for ``join``, which may also be
            called later: until then nothing can be said in the place of a list.
        open_words: which words the grammars' open slots hear; None is ``OpenWords()``.

        Raises
        ------
        GrammarError: a mistake in a grammar, or words that no one can pronounce, by name and line; with
            ``rejects`` only a list that no grammar has, no sentence left at all, or too large a whole.
        UsageError: the bundle has no lexicon, so that it knows words by their spelling alone.
        """
        self._require_lexicon()
        rejects = None if strict else rejects
        networks = load_grammars(grammars, rejects)
        guesser = self.guesser(strict=strict)
        graph = self._compiler.compile(networks, self.lexicon, guesser, open_words or OpenWords(), rejects)
        return self.join(graph, lists, rejects, strict=strict) if lists else graph

    def join(
        self,
        graph: Graph,
        lists: Mapping[str, Entries],
        rejects: list[Reject] | None = None,
        *,
        strict: bool = False,
    ) -> Graph:
        """A loaded graph with entries in its run-time lists, in milliseconds; ``graph`` stays as it is.

        Keep ``graph`` to join other entries later::

            loaded = recognizer.compile(["phone.jsgf"])
            graph = recognizer.join(loaded, {"contact": ["ann smith", "bob"]})

        Parameters
        ----------
        lists: by name, the texts that can be said, or a mapping from each to the slot's value for it.
            Lists that are not named stay empty.
        rejects: takes note of entries that cannot be spoken or that no one can pronounce, by name and place
            in the list, and the others join; without it such an entry is raised.
        strict: refuse unknown words instead of guessing them, and mistakes whether noted or not.

        Raises
        ------
        GrammarError: no grammar of ``graph`` has a list of that name; or a mistake in an entry.
        """
        rejects = None if strict else rejects
        return self._compiler.join(graph, lists, self.lexicon, self.guesser(strict=strict), rejects)

    def guesser(self, *, strict: bool = False) -> Guesser:
        """What loads ``g2p`` when a word is unknown; with ``strict`` nothing guesses."""
        return lambda: None if strict else self.g2p

    def stream(
        self,
        *,
        sample_rate_hz: int | None = None,
        graph: Graph | None = None,
        vad: str | None = None,
        segmenter: SegmenterConfig | None = None,
        nbest: int = 1,
        rejection: str = DEFAULT_REJECTION,
        endpoint: str | EndpointConfig | None = None,
        rescore: bool = True,
    ) -> Stream:
        """Open a stream.

        Parameters
        ----------
        sample_rate_hz: of the audio that will come; None is the model's own.
        graph: from ``compile``; None is free text, searched as ``search`` says.
        vad: voice activity detector (a key of ``edge_asr.vad.VADS``) that cuts the stream into
            utterances; None takes the whole stream for one utterance.
        segmenter: when an utterance starts and ends; only with ``vad``.
        nbest: how many sentences a Final or Rejected lists at the most; more than one take the search half
            as much time again, and words of free text are stable late, so that all keep their alternatives.
        rejection: how sure a sentence of a grammar must be: one of ``rejection_presets``.
        endpoint: when what was said ends an utterance: rules, or a key of ``endpoint.PRESETS``. None leaves
            that to ``vad``. Without ``vad`` an utterance begins where the last one ended.
        rescore: whether the bundle's neural language model, if it brings one, has the last word on free text.
            It decides on words about a second after their end, and what it decided is stable. Without it less
            is computed, and words are stable as soon as the search agrees on them.

        Raises
        ------
        UsageError: no such preset, ``nbest`` is less than 1, or a graph of another model.
        """
        if nbest < 1:
            raise UsageError(f"nbest must be at least 1, got {nbest}")
        if isinstance(endpoint, str):
            if endpoint not in PRESETS:
                raise UsageError(f"no endpoint preset {endpoint!r}: choose one of {', '.join(PRESETS)}")
            endpoint = PRESETS[endpoint]
        if endpoint and segmenter is None:
            # The detector only has the last word: where the search does not hear that speech is over.
            segmenter = SegmenterConfig(
                end_silence_ms=round(1000 * endpoint.incomplete_s), max_speech_s=endpoint.longest_s + 1
            )

        def hear(graph: Graph | None) -> Hearing:
            return self._hearing(graph, rejection, alternatives=nbest > 1, rescore=rescore)

        return Stream(
            Utterance(self.bundle.config, self._engine, hear(graph), nbest=nbest),
            hear,
            sample_rate_hz=sample_rate_hz or self.sample_rate_hz,
            model_rate_hz=self.sample_rate_hz,
            gate=Gate(create_vad(vad), segmenter) if vad else None,
            endpoint=endpoint,
        )

    def _hearing(self, graph: Graph | None, rejection: str, *, alternatives: bool, rescore: bool) -> Hearing:
        """New searches through ``graph``, or free text, and how sure its sentences must be."""
        if graph is not None and graph.tokens != self._tokens.names:
            raise UsageError(f"expected a graph that {self.bundle.config.name} compiled, got another model's")
        free_text = graph is None or graph.free_text
        rescorer = self.rescorer() if rescore and free_text and self.search == GRAPH else None
        return Hearing(
            search=self._new_search(graph, rescorer, alternatives=alternatives),
            background=None if free_text else self._new_background(),
            free_text=free_text,
            reject_below=least_confidence(self.bundle.config, rejection, free_text=free_text),
        )

    def _new_search(self, graph: Graph | None, rescorer: Rescorer | None, *, alternatives: bool) -> Decoder:
        """The search through ``graph``, or that of free text."""
        config = self.bundle.config.decoder
        if graph is None and self.search != GRAPH:
            return create_free_search(self.search, self._tokens, config)
        free_text = graph is None or graph.free_text
        within = config.beam if alternatives else 0.0  # what is further behind is not searched either
        return create_graph_search(
            graph or self.word_loop(),
            config,
            free_text=free_text,
            alternatives=within,
            rescorer=rescorer,
        )

    def _new_background(self) -> Decoder | None:
        """The search through all phone sequences, if the bundle has them."""
        if (graph := self.phone_loop()) is None:
            return None
        config = dataclasses.replace(self.bundle.config.decoder, beam=_BACKGROUND_BEAM)
        return create_graph_search(graph, config, free_text=False)

"""What a user would notice: the words that come out of log-probabilities, counted against what was said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rapidfuzz.distance import Levenshtein

from edge_asr.arrays import Float32Array
from edge_asr.bundle import TOKENS
from edge_asr.decoder import GRAPH, Decoder, create_free_search, create_graph_search
from edge_asr.decoder.graph import Graph
from edge_asr.decoder.tokens import Tokens
from edge_asr.recognizer import Recognizer
from export.corpus import Utterance


@dataclass(frozen=True, kw_only=True)
class Heard:
    """Counts over recordings whose words are known."""

    words: int = 0
    """Words said in free text."""
    errors: int = 0
    """Edits between what was said there and what was heard."""
    commands: int = 0
    """Sentences of a grammar that were said."""
    wrong: int = 0
    """Those of them that were not heard as said."""

    @property
    def wer(self) -> float | None:
        """Word error rate of free text; None without any."""
        return self.errors / self.words if self.words else None

    @property
    def command_accuracy(self) -> float | None:
        """Share of commands heard as said; None without any."""
        return 1 - self.wrong / self.commands if self.commands else None

    def plus(self, said: str, heard: str, *, command: bool) -> Heard:
        """These counts with one more recording."""
        if command:
            wrong = self.wrong + (said != heard)
            return Heard(words=self.words, errors=self.errors, commands=self.commands + 1, wrong=wrong)
        errors = self.errors + Levenshtein.distance(said.split(), heard.split())
        words = self.words + len(said.split())
        return Heard(words=words, errors=errors, commands=self.commands, wrong=self.wrong)


@dataclass(frozen=True, kw_only=True)
class Allowance:
    """How much more than the reference a form may mishear."""

    share: float
    """Of the words, and of the commands."""
    least: int
    """So many in any case: a few recordings cannot tell less."""

    def covers(self, reference: Heard, heard: Heard) -> bool:
        """Whether ``heard`` is within it; hearing better always is."""
        errors = max(self.least, self.share * reference.words)
        wrong = max(self.least, self.share * reference.commands)
        return heard.errors - reference.errors <= errors and heard.wrong - reference.wrong <= wrong


class Hearing:
    """Searches of one model, for whole recordings.

    Parameters
    ----------
    recognizer: whose lexicon, language model and search settings are used; its acoustic model is not.
    grammars: name of a set of recordings -> the grammar that its speakers keep to. All others are free text.

    Raises
    ------
    GrammarError, UsageError: a grammar cannot be compiled.
    """

    def __init__(self, recognizer: Recognizer, grammars: Mapping[str, Path]) -> None:
        self._config = recognizer.bundle.config.decoder
        self._tokens = Tokens.load(recognizer.bundle.path(TOKENS))
        self._kind = recognizer.search
        self._loop = recognizer.word_loop() if self._kind == GRAPH else None
        self._graphs = {name: recognizer.compile([grammar]) for name, grammar in grammars.items()}

    def count(self, utterances: Sequence[Utterance], answers: Sequence[Float32Array]) -> Heard:
        """Search each answer, (frames, outputs) log-probabilities; recordings of unknown words are left out.

        Nothing is refused: a form that hears less surely than another shall not look better for its silence.
        """
        heard = Heard()
        for utterance, log_probs in zip(utterances, answers, strict=True):
            if utterance.text:
                graph = self._graphs.get(utterance.corpus)
                search = self._search(graph)
                search.push(log_probs)
                heard = heard.plus(utterance.text, search.finish().text, command=graph is not None)
        return heard

    def _search(self, graph: Graph | None) -> Decoder:
        chosen = graph or self._loop
        if chosen is None:
            return create_free_search(self._kind, self._tokens, self._config)
        return create_graph_search(chosen, self._config, free_text=graph is None)

"""What a recognizer would make of grammar files: how much they say, what is refused, what sounds the same."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from pathlib import Path
from typing import Literal, get_args

from edge_asr.decoder.ambiguity import Ambiguities
from edge_asr.decoder.compile import compile_word_graph
from edge_asr.decoder.compiler import Guesser, covered
from edge_asr.decoder.grammar import load_grammar, shown_names
from edge_asr.decoder.grammar.census import count_sentences
from edge_asr.decoder.grammar.distinct import MOST_COUNTED, Distinct, distinct_sentences
from edge_asr.decoder.grammar.readings import Reader
from edge_asr.decoder.grammar.rejects import Reject
from edge_asr.decoder.lexicon import Lexicon, Pronunciation
from edge_asr.decoder.network import ANYTHING, IntentMark, Placeholder, WordNetwork
from edge_asr.decoder.network import Path as WordPath
from edge_asr.decoder.unknown_words import known_part
from edge_asr.decoder.word_report import SpokenWord
from edge_asr.decoder.wordgraph import WordGraph, build_word_graph
from edge_asr.errors import GrammarError
from edge_asr.garbage import collector_paused
from edge_asr.understand.intent import Interpretation, interpret

MOST_EXAMPLES = 20
"""Examples of sentences that sound the same."""
_MOST_SOUNDINGS = 2_000
"""Pairs of sentences that are compared; where many sound the same, most of them do so for the same reason."""

Kind = Literal["two meanings", "sound alike", "repeated"]
_KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True, kw_only=True)
class Said:
    """A sentence as one place of a grammar has it."""

    text: str
    intent: str | None
    slots: dict[str, object]
    places: tuple[tuple[str, int], ...]
    """File names and lines that it goes through."""


@dataclass(frozen=True, kw_only=True)
class Ambiguity:
    """Two sentences that cannot be told apart by listening."""

    kind: Kind
    """``two meanings`` of the same words; words that ``sound alike``; or the same words and meaning
    ``repeated`` in another line, which does no harm."""
    first: Said
    second: Said

    @property
    def harmless(self) -> bool:
        """Do both ask for the same?"""
        same = (self.first.intent, self.first.slots) == (self.second.intent, self.second.slots)
        return self.kind == "repeated" or (same and self.first.intent is not None)


@dataclass(frozen=True, kw_only=True)
class FileReport:
    """What one grammar file holds."""

    file: str
    """As it was given."""
    sentences: int | float
    """Different ones; ``math.inf`` where a part repeats; MOST_COUNTED + 1 for any more than MOST_COUNTED."""
    exact: bool
    """Otherwise there were too many to compare, and those with two ways to say them count twice."""
    lists: tuple[str, ...]
    """Run-time lists, which count as one word."""
    open_slots: bool
    """Is there a place for any words? It counts as one word."""
    words: int
    """Different ones."""
    intents: tuple[str, ...]
    rejects: tuple[Reject, ...]
    """What is left out, by line."""


@dataclass(frozen=True, kw_only=True)
class Report:
    """What several grammar files hold, used together."""

    files: tuple[FileReport, ...]
    pronunciations: dict[str, tuple[Pronunciation, ...]] = field(repr=False)
    """Of every word, the words in alphabetical order."""
    guessed: tuple[SpokenWord, ...]
    """Those of them that the lexicon lacks and that were guessed."""
    graph_bytes: int
    """Size of the search graph of all files together."""
    ambiguities: tuple[Ambiguity, ...]
    """Those that do harm first."""
    cut_short: bool
    """Were there too many sentences to compare all?"""

    @property
    def usable(self) -> bool:
        """Is there a sentence left in every file?"""
        return all(file.sentences for file in self.files)

    @property
    def rejects(self) -> tuple[Reject, ...]:
        """Of all files."""
        return tuple(reject for file in self.files for reject in file.rejects)


@collector_paused()
def check_grammars(files: Sequence[Path], lexicon: Lexicon, guesser: Guesser) -> Report:
    """Read grammar files as ``Recognizer.compile`` does with ``rejects``, and look at what comes of it.

    Parameters
    ----------
    guesser: of ``Recognizer.guesser``; where it has nothing to guess with, unknown words are refused.

    Raises
    ------
    GrammarSizeError: what all files hold together is too large.
    """
    reports: list[FileReport] = []
    networks: list[WordNetwork] = []
    repeated: list[Ambiguity] = []
    guessed: tuple[SpokenWord, ...] = ()
    names = shown_names(files)
    for file in files:
        rejects: list[Reject] = []
        try:
            network = load_grammar(file, rejects, name=names[file])
            lexicon, more = covered([network], lexicon, guesser)
            network = known_part(network, lexicon, rejects)
            guessed += more
        except GrammarError as error:
            if Reject.of(error) not in rejects:
                rejects.append(Reject.of(error))
            reports.append(_empty(file, rejects))
            continue
        distinct = distinct_sentences(network, most_repeated=MOST_EXAMPLES)
        reports.append(_describe(file, network, distinct, rejects))
        networks.append(network)
        repeated += _repeated(network, distinct)
    if not networks:
        empty: dict[str, tuple[Pronunciation, ...]] = {}
        return Report(
            files=tuple(reports),
            pronunciations=empty,
            guessed=(),
            graph_bytes=0,
            ambiguities=(),
            cut_short=False,
        )
    readable = [network.name for network in networks]
    graph = build_word_graph(networks)
    said = {output.word: lexicon.pronunciations(output.word) for output in graph.outputs}
    alike, cut_short = _alike(graph, said, networks)
    found = _once([*alike, *repeated])
    return Report(
        files=tuple(reports),
        pronunciations={
            word: ways for word, ways in sorted(said.items()) if not isinstance(word, Placeholder)
        },
        guessed=guessed,
        graph_bytes=compile_word_graph(graph, lexicon, ", ".join(readable)).nbytes,
        ambiguities=tuple(sorted(found, key=lambda found: (found.harmless, _KINDS.index(found.kind)))),
        cut_short=cut_short,
    )


def _empty(file: Path, rejects: list[Reject]) -> FileReport:
    return FileReport(
        file=str(file),
        sentences=0,
        exact=True,
        lists=(),
        open_slots=False,
        words=0,
        intents=(),
        rejects=_in_order(rejects),
    )


def _describe(file: Path, network: WordNetwork, distinct: Distinct, rejects: list[Reject]) -> FileReport:
    count = distinct.count
    intents = dict.fromkeys(arc.mark.name for arc in network.arcs if isinstance(arc.mark, IntentMark))
    return FileReport(
        file=str(file),
        sentences=count_sentences(network, at_most=MOST_COUNTED + 1) if count is None else count,
        exact=count is not None,
        lists=tuple(dict.fromkeys(hole.list for hole in network.placeholders() if hole != ANYTHING)),
        open_slots=ANYTHING in network.placeholders(),
        words=sum(1 for _ in network.vocabulary()),
        intents=tuple(intents),
        rejects=_in_order(rejects),
    )


def _in_order(rejects: Iterable[Reject]) -> tuple[Reject, ...]:
    return tuple(sorted(rejects, key=lambda reject: (reject.source, reject.line or 0)))


def _repeated(network: WordNetwork, distinct: Distinct) -> Iterator[Ambiguity]:
    """Sentences that two lines say, in one meaning or in two."""
    reader = Reader(network)
    for words in distinct.repeated:
        ways = [_said(reading.path, network, reading.lines) for reading in reader.read(words)]
        first = ways[0]
        other = next((way for way in ways if not _same(way, first)), None)
        if other is not None:
            yield Ambiguity(kind="two meanings", first=first, second=other)
            continue
        other = next((way for way in ways if way.places != first.places), None)
        if other is not None:
            yield Ambiguity(kind="repeated", first=first, second=other)


def _alike(
    graph: WordGraph, said: dict[str, tuple[Pronunciation, ...]], networks: list[WordNetwork]
) -> tuple[list[Ambiguity], bool]:
    """Sentences that sound the same, one for each reason, and whether there may be more."""
    search = Ambiguities(graph, said)
    named = {network.name: network for network in networks}
    readers = {network.name: Reader(network) for network in networks}
    found: dict[tuple[object, object], Ambiguity] = {}
    for compared, sounding in enumerate(search):
        if compared == _MOST_SOUNDINGS or len(found) == MOST_EXAMPLES:
            return list(found.values()), True
        one, other = (named[name] for name in sounding.networks)
        first, second = _said(sounding.first, one, ()), _said(sounding.second, other, ())
        reason = _reason(first, second)
        if reason is not None and reason not in found:
            found[reason] = Ambiguity(
                kind="two meanings" if first.text == second.text else "sound alike",
                first=_placed(first, one, readers[one.name]),
                second=_placed(second, other, readers[other.name]),
            )
    return list(found.values()), search.cut_short


def _said(path: WordPath, network: WordNetwork, lines: tuple[int, ...]) -> Said:
    meaning = interpret(path) or Interpretation("")
    places = (network.place(line) for line in lines)
    return Said(
        text=" ".join(word for word, _ in path if word is not None),
        intent=meaning.intent or None,
        slots=dict(meaning.slots),
        places=tuple((file, line) for file, line in places if line),
    )


def _placed(said: Said, network: WordNetwork, reader: Reader) -> Said:
    """The same with the lines where it stands."""
    for reading in reader.read(said.text.split()):
        found = _said(reading.path, network, reading.lines)
        if _same(found, said):
            return found
    return said


def _same(one: Said, other: Said) -> bool:
    return (one.text, one.intent, one.slots) == (other.text, other.intent, other.slots)


def _reason(one: Said, other: Said) -> tuple[object, object] | None:
    """The words in which two sentences differ, or else their intents or slots; None where nothing does."""
    if one.text == other.text:
        if one.intent != other.intent:
            return one.intent, other.intent
        names = sorted(one.slots.keys() | other.slots.keys())
        differing = [name for name in names if one.slots.get(name) != other.slots.get(name)]
        return ((one.intent, *differing), None) if differing else None
    words, others = one.text.split(), other.text.split()
    while words and others and words[-1] == others[-1]:
        words.pop()
        others.pop()
    same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(words, others, strict=False)))
    return tuple(words[same:]), tuple(others[same:])


def _once(found: list[Ambiguity]) -> list[Ambiguity]:
    """Without those that both searches found."""
    seen: set[object] = set()
    once: list[Ambiguity] = []
    for ambiguity in found:
        both = (ambiguity.first, ambiguity.second)
        key = frozenset(repr((said.text, said.intent, said.slots, ambiguity.kind)) for said in both)
        if key not in seen:
            seen.add(key)
            once.append(ambiguity)
    return once

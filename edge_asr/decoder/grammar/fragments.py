"""A network of parts of words and the white space between them, and how it becomes one of words.

A sentence template may join text inside a word: ``light[s]``, ``(light|lamp)s``, ``[re]start``. So
its expressions first become a network whose arcs carry fragments and explicit white space; a word is
then every chain of fragments from one white space (or end) to the next.

A mark inside a word moves to the word's edge: an opening before the word, a closing after it. The
slot of ``{colour}ish`` thus covers "reddish".
"""

from __future__ import annotations

from typing import NamedTuple

from edge_asr.decoder.grammar.words import LONGEST_WORD, SPACE, clean_word, pieces
from edge_asr.decoder.network import MAX_ARCS, Mark, SlotClose, WordNetwork
from edge_asr.errors import GrammarError, GrammarSizeError

_MOST_WORDS = 100_000
"""Beginnings of words in one sentence; optional parts within a word multiply fast."""


class FragmentArc(NamedTuple):
    """Adds ``text`` to the current word, or ends the word where ``text`` is SPACE."""

    target: int
    text: str | None
    mark: Mark | None
    line: int
    words: WordNetwork | None = None
    """Whole words in the place of a text, with white space around."""


class _Step(NamedTuple):
    """A word in the making: fragments so far, and marks met since its last fragment."""

    node: int
    text: str
    before: tuple[Mark, ...]
    after: tuple[Mark, ...]


class FragmentNetwork:
    """Acyclic. ``START`` and ``END`` count as white space. ``source`` names the file, for messages."""

    START, END = 0, 1

    def __init__(self, source: str = "<string>") -> None:
        self.source = source
        self.leaving: list[list[FragmentArc]] = [[], []]
        self._arcs = 0

    def add_node(self) -> int:
        """Make a node and return its number."""
        self.leaving.append([])
        return len(self.leaving) - 1

    def add(
        self, source: int, target: int, text: str | None = None, *, mark: Mark | None = None, line: int = 0
    ) -> None:
        """Add one arc.

        Raises
        ------
        GrammarSizeError: there are MAX_ARCS already.
        """
        self._arcs += 1
        if self._arcs > MAX_ARCS:
            message = f"a sentence expands to more than {MAX_ARCS:,} parts"
            raise GrammarSizeError(message, source=self.source, line=line or None)
        self.leaving[source].append(FragmentArc(target, text, mark, line))

    def add_text(self, source: int, target: int, text: str, line: int) -> None:
        """Put ``text``, whose outer words stay open, between two nodes.

        Raises
        ------
        ValueError: the text cannot be spoken (``words.pieces``).
        """
        spoken = pieces(text)
        for i, piece in enumerate(spoken):
            after = target if i == len(spoken) - 1 else self.add_node()
            for words in piece if isinstance(piece, tuple) else ((piece,),):
                self.add_words(source, after, words, line)
            source = after
        if not spoken:
            self.add(source, target, line=line)

    def add_words(self, source: int, target: int, words: tuple[str, ...], line: int) -> None:
        """Put fragments with white space between them, but not around them, between two nodes."""
        for i, word in enumerate(words):
            if i:
                after = self.add_node()
                self.add(source, after, SPACE, line=line)
                source = after
            end = target if i == len(words) - 1 else self.add_node()
            self.add(source, end, word, line=line)
            source = end

    def add_network(self, source: int, target: int, words: WordNetwork, line: int) -> None:
        """Put whole words, with white space around them, between two nodes."""
        first, last = self.add_node(), self.add_node()
        self.add(source, first, SPACE, line=line)
        self.leaving[first].append(FragmentArc(last, None, None, line, words))
        self.add(last, target, SPACE, line=line)

    def merge_into(self, network: WordNetwork, source: int, target: int) -> None:
        """Add the words of this network between two nodes of ``network``.

        Raises
        ------
        GrammarError: ``network`` is full, or a word has too many forms.
        """
        _Merge(self, network, source, target).run()


class _Merge:
    """Nodes of the word network stand for fragment nodes where no word is in the making."""

    def __init__(self, fragments: FragmentNetwork, network: WordNetwork, source: int, target: int) -> None:
        self._leaving = fragments.leaving
        self._network = network
        self._number = {FragmentNetwork.START: source, FragmentNetwork.END: target}
        self._waiting = [FragmentNetwork.START]
        # A list of many names has as many arcs; what multiplies has few.
        self._beginnings_left = _MOST_WORDS + sum(map(len, self._leaving))
        self._open = self._nodes_inside_words()

    def run(self) -> None:
        while self._waiting:
            node = self._waiting.pop()
            for arc in self._leaving[node]:
                if arc.words is not None:
                    self._network.insert(arc.words, self._at(node), self._at(arc.target), line=arc.line)
                elif arc.text is None or arc.text == SPACE:
                    target = self._onwards(arc.target)
                    self._network.add(self._at(node), self._at(target), mark=arc.mark, line=arc.line)
            self._add_words(node)

    def _onwards(self, node: int) -> int:
        """The first node from ``node`` on that more leads away from than a single arc without text and mark.

        Not the end: the arc to it tells which line the sentence stands in.
        """
        while len(arcs := self._leaving[node]) == 1:
            [arc] = arcs
            silent = arc.text in (None, SPACE) and arc.mark is None and arc.words is None
            if not silent or arc.target == FragmentNetwork.END:
                break
            node = arc.target
        return node

    def _at(self, node: int) -> int:
        """The word network's node for ``node``, made and queued when first asked for."""
        if node not in self._number:
            self._number[node] = self._network.add_node()
            self._waiting.append(node)
        return self._number[node]

    def _nodes_inside_words(self) -> set[int]:
        """Nodes where the current word may go on: a fragment comes before any white space."""
        arriving: list[list[int]] = [[] for _ in self._leaving]
        inside: set[int] = set()
        for node, arcs in enumerate(self._leaving):
            for arc in arcs:
                if arc.text is None:
                    arriving[arc.target].append(node)
                elif arc.text != SPACE:
                    inside.add(node)
        waiting = list(inside)
        while waiting:
            for node in arriving[waiting.pop()]:
                if node not in inside:
                    inside.add(node)
                    waiting.append(node)
        return inside

    def _add_words(self, source: int) -> None:
        """Add every word that begins at the white space ``source``.

        Where the word can only end, its arc goes to that node at once, so that ways which differ in
        this word share everything behind it.
        """
        steps = [
            (_Step(arc.target, arc.text, (), ()), arc.line)
            for arc in self._leaving[source]
            if arc.text is not None and arc.text != SPACE
        ]
        seen = set(steps)
        while steps:
            step, line = steps.pop()
            if step.node not in self._open:
                self._add_word(source, step, self._onwards(step.node), line)
                continue
            for arc in self._leaving[step.node]:
                if arc.text == SPACE:
                    self._add_word(source, step, self._onwards(arc.target), line)
                elif (following := (_follow(step, arc), line)) not in seen:
                    seen.add(following)
                    steps.append(following)
            if len(seen) > self._beginnings_left:
                message = f"optional parts within a word make more than {_MOST_WORDS:,} words"
                raise self._error(message, line)
            if len(step.text) > LONGEST_WORD:
                message = f"expected words of up to {LONGEST_WORD} letters, got {step.text[:20]}..."
                raise self._error(message, line)
        self._beginnings_left -= len(seen)

    def _error(self, message: str, line: int) -> GrammarError:
        file, place = self._network.place(line)
        return GrammarError(message, source=file, line=place)

    def _add_word(self, source: int, step: _Step, node: int, line: int) -> None:
        """Add the marks before the word, the word, and the marks after it, as arcs in a row."""
        labels: list[tuple[str | None, Mark | None]] = [(None, mark) for mark in step.before]
        labels.append((clean_word(step.text) or None, None))
        labels += [(None, mark) for mark in step.after]
        at = self._at(source)
        for i, (word, mark) in enumerate(labels):
            after = self._at(node) if i == len(labels) - 1 else self._network.add_node()
            self._network.add(at, after, word, mark=mark, line=line)
            at = after


def _follow(step: _Step, arc: FragmentArc) -> _Step:
    """The word after one more arc that is no white space."""
    if arc.mark is not None:
        return step._replace(node=arc.target, after=(*step.after, arc.mark))
    if arc.text is None:
        return step._replace(node=arc.target)
    closing = tuple(mark for mark in step.after if isinstance(mark, SlotClose))
    opening = tuple(mark for mark in step.after if not isinstance(mark, SlotClose))
    return _Step(arc.target, step.text + arc.text, (*step.before, *opening), closing)

"""Word networks joined and stripped of their epsilon arcs: small, trimmed, ready for phones.

All steps keep the set of (words, marks, best weight) of complete sentences. Where two paths say the
same words with different marks, the heavier one stays, and of equals the one written first: a
Viterbi search could not tell them apart either.
"""

from __future__ import annotations

import dataclasses
import math
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from typing import TypeAlias

from edge_asr.decoder.graph import Ending, Output
from edge_asr.decoder.network import Mark, Placeholder, WordNetwork
from edge_asr.errors import GrammarError, GrammarSizeError

Marks: TypeAlias = tuple[Mark, ...]
Step: TypeAlias = tuple[int, float, int]
"""Output number, weight, target node."""
Arc: TypeAlias = tuple[int, str | None, Marks, float]
"""Target node, word, marks before the word (one or none), weight."""

START = 0
MAX_STEPS = 2_000_000
"""Ways from word to word over optional parts, with all their marks: those of n optional words in a row are
n^2 / 2."""


@dataclass
class WordGraph:
    """Nodes are keys of ``steps``; decoding starts at ``start``."""

    steps: dict[int, list[Step]]
    finals: dict[int, tuple[float, Ending]]
    """Weight and ending of the nodes where a sentence may end."""
    outputs: list[Output]
    start: int = START

    def numbered(self) -> WordGraph:
        """The same graph with nodes 0, 1, ... in breadth-first order, so that ``start`` is 0."""
        number = {self.start: 0}
        queue = deque(number)
        while queue:
            for _, _, target in self.steps[queue.popleft()]:
                if target not in number:
                    number[target] = len(number)
                    queue.append(target)
        steps = {new: [(o, w, number[t]) for o, w, t in self.steps[old]] for old, new in number.items()}
        finals = {number[old]: final for old, final in self.finals.items() if old in number}
        return WordGraph(steps, finals, self.outputs)


@dataclass
class _Joined:
    """Several networks as one: node 0 leads by epsilon arcs to the start of each."""

    leaving: list[list[Arc]] = field(default_factory=lambda: [[]])
    steps_left: int = field(default_factory=lambda: MAX_STEPS)
    ends: dict[int, str] = field(default_factory=dict)
    """Network name of each end node."""
    order: list[int] = field(default_factory=list)
    """Nodes with epsilon arcs, each after all nodes that it reaches by epsilon arcs."""

    def spend(self, steps: int) -> None:
        """Count steps.

        Raises
        ------
        GrammarSizeError: there are more than MAX_STEPS.
        """
        self.steps_left -= steps
        if self.steps_left < 0:
            raise GrammarSizeError(
                f"more than {MAX_STEPS:,} ways from word to word: too many optional parts or marks stand "
                "behind one another",
                source=", ".join(sorted(set(self.ends.values()))),
            )


def build_word_graph(networks: Sequence[WordNetwork]) -> WordGraph:
    """Join ``networks`` at their starts and remove epsilon arcs.

    Raises
    ------
    GrammarError: a network has a cycle without words, or no sentence.
    GrammarSizeError: more than MAX_STEPS ways lead from word to word.
    """
    joined = _Joined()
    for network in networks:
        _join(joined, network)
    joined.order.append(START)
    graph = _without_epsilons(joined)
    _merge_prefixes(graph)
    _merge_suffixes(graph)
    return graph.numbered()


def _join(joined: _Joined, network: WordNetwork) -> None:
    """Append the useful part of ``network``."""
    possible = [arc for arc in network.arcs if arc.weight > -math.inf]
    network = dataclasses.replace(network, arcs=possible).trimmed()
    if not any(arc.word is not None for arc in network.arcs):
        raise GrammarError("the grammar has no complete sentence", source=network.name)
    shift = len(joined.leaving)
    joined.order.extend(node + shift for node in _epsilon_order(network))
    joined.leaving[START].append((network.start + shift, None, (), 0.0))
    joined.leaving.extend([] for _ in range(network.nodes))
    for arc in network.arcs:
        marks = () if arc.mark is None else (arc.mark,)
        joined.leaving[arc.source + shift].append((arc.target + shift, arc.word, marks, arc.weight))
    joined.ends[network.end + shift] = network.name


def _epsilon_order(network: WordNetwork) -> list[int]:
    """Nodes that touch an epsilon arc, targets before sources."""
    silent: dict[int, list[int]] = {}
    for arc in network.arcs:
        if arc.word is None:
            silent.setdefault(arc.source, []).append(arc.target)
    done: dict[int, bool] = {}
    """False: under way."""
    order: list[int] = []
    for first in silent:
        stack = [] if first in done else [first]
        while stack:
            node = stack[-1]
            if node not in done:
                done[node] = False
                for target in silent.get(node, ()):
                    if target not in done:
                        stack.append(target)
                    elif not done[target]:
                        raise _silent_cycle(network, silent)
                continue
            stack.pop()
            if not done[node]:
                done[node] = True
                order.append(node)
    return order


def _silent_cycle(network: WordNetwork, silent: dict[int, list[int]]) -> GrammarError:
    """The error of a network in which a cycle of epsilon arcs is known to be."""
    cycle: set[int] = set()
    try:
        TopologicalSorter(silent).prepare()
    except CycleError as error:
        cycle = set(error.args[1])
    lines = [a.line for a in network.arcs if a.word is None and {a.source, a.target} <= cycle and a.line]
    return GrammarError(
        "a part of the grammar repeats without saying a word",
        source=network.name,
        line=min(lines, default=None),
    )


def _without_epsilons(joined: _Joined) -> WordGraph:
    """Word steps between the start and the nodes that word arcs lead to."""
    closures = _closures(joined)
    landings = _landings(joined)
    numbers: dict[Output, int] = {}
    steps: dict[int, list[Step]] = {}
    finals: dict[int, tuple[float, Ending]] = {}
    stack = [START]
    while stack:
        node = stack.pop()
        if node in steps:
            continue
        steps[node] = []
        for reached, (weight, marks) in closures.get(node, {node: (0.0, ())}).items():
            joined.spend(len(joined.leaving[reached]))
            if reached in joined.ends:
                _offer_final(finals, node, (weight, Ending(joined.ends[reached], marks)))
            for next_node, word, mark, arc_weight in joined.leaving[reached]:
                if word is None:
                    continue
                here: tuple[int, Marks, float] = (next_node, (), 0.0)
                # What joins later takes no marks along: its words may have some of their own.
                landed = here if isinstance(word, Placeholder) else landings.get(next_node, here)
                target, after, extra = landed
                output = Output(word, marks + mark, after)
                number = numbers.setdefault(output, len(numbers))
                steps[node].append((number, weight + arc_weight + extra, target))
                stack.append(target)
    return WordGraph(steps, finals, list(numbers))


def _closures(joined: _Joined) -> dict[int, dict[int, tuple[float, Marks]]]:
    """For each node with epsilon arcs: the best epsilon path to every node where words or ends are."""
    closures: dict[int, dict[int, tuple[float, Marks]]] = {}
    for node in joined.order:
        best: dict[int, tuple[float, Marks]] = {}
        spent = 0
        if node in joined.ends or any(word is not None for _, word, _, _ in joined.leaving[node]):
            best[node] = (0.0, ())
        for target, word, mark, arc_weight in joined.leaving[node]:
            if word is not None:
                continue
            for reached, (weight, marks) in closures.get(target, {target: (0.0, ())}).items():
                if reached not in best or arc_weight + weight > best[reached][0]:
                    best[reached] = (arc_weight + weight, mark + marks)
                    spent += 1 + len(marks)
        joined.spend(spent)
        closures[node] = best
    return closures


def _landings(joined: _Joined) -> dict[int, tuple[int, Marks, float]]:
    """Where a word arc really leads: on over nodes with nothing but one epsilon arc.

    The word takes their marks and weights along. So the five hundred names of a slot, each closing
    it with its own value, all lead to one node, and what follows the slot is built once.
    """
    landings: dict[int, tuple[int, Marks, float]] = {}
    for node in joined.order:
        arcs = joined.leaving[node]
        if node in joined.ends or len(arcs) != 1 or arcs[0][1] is not None:
            continue
        next_node, _, mark, arc_weight = arcs[0]
        target, marks, weight = landings.get(next_node, (next_node, (), 0.0))
        landings[node] = (target, mark + marks, arc_weight + weight)
        joined.spend(len(marks))
    return landings


def _offer_final(finals: dict[int, tuple[float, Ending]], node: int, final: tuple[float, Ending]) -> None:
    """Make ``node`` final unless it already is with at least this weight."""
    if node not in finals or final[0] > finals[node][0]:
        finals[node] = final


def _merge_prefixes(graph: WordGraph) -> None:
    """Merge equal steps from one node whose targets have no other way in, from the start onwards."""
    ways_in = Counter(target for steps in graph.steps.values() for _, _, target in steps)
    ways_in[graph.start] += 1
    queue = deque([graph.start])
    seen = {graph.start}
    while queue:
        node = queue.popleft()
        private: dict[tuple[int, float], int] = {}
        kept: dict[Step, None] = {}
        for step in graph.steps[node]:
            number, weight, target = step
            if ways_in[target] == 1:
                first = private.setdefault((number, weight), target)
                if first != target:
                    graph.steps[first].extend(graph.steps.pop(target))
                    if target in graph.finals:
                        _offer_final(graph.finals, first, graph.finals.pop(target))
                    continue
            kept[step] = None
            if target not in seen:
                seen.add(target)
                queue.append(target)
        graph.steps[node] = list(kept)


def _merge_suffixes(graph: WordGraph) -> None:
    """Merge nodes with equal endings and equal steps, from the ends backwards.

    Nodes are visited in depth-first post-order, so one pass merges all that an acyclic graph allows.
    """
    merged: dict[int, int] = {}
    known: dict[tuple[tuple[float, Ending] | None, frozenset[Step]], int] = {}
    seen: set[int] = set()
    stack: list[tuple[int, bool]] = [(graph.start, False)]
    while stack:
        node, done = stack.pop()
        if not done:
            if node not in seen:
                seen.add(node)
                stack.append((node, True))
                stack.extend((target, False) for _, _, target in graph.steps[node] if target not in seen)
            continue
        steps = [(number, weight, merged.get(target, target)) for number, weight, target in graph.steps[node]]
        graph.steps[node] = steps
        merged[node] = known.setdefault((graph.finals.get(node), frozenset(steps)), node)
    for node, steps in graph.steps.items():
        graph.steps[node] = [(number, weight, merged.get(t, t)) for number, weight, t in steps]
    graph.start = merged[graph.start]

"""The slow truth that the search is compared with: every sentence, every pronunciation, textbook CTC."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator

from edge_asr.decoder.lexicon import Lexicon
from edge_asr.decoder.network import Mark, WordNetwork


def align(log_probs: list[list[float]], phones: list[int]) -> float:
    """Score of the best CTC path for one phone sequence (Graves et al. 2006, with max for the sum)."""
    labels = [0]
    for phone in phones:
        labels += [phone, 0]
    score = [-math.inf] * len(labels)
    score[0] = 0.0  # before the first frame, in the first blank
    for frame in log_probs:
        before = score
        score = []
        for i, label in enumerate(labels):
            ways = [before[i]]
            if i >= 1:
                ways.append(before[i - 1])
            if i >= 2 and label != 0 and label != labels[i - 2]:
                ways.append(before[i - 2])
            score.append(max(ways) + frame[label])
    return max(score[-1], score[-2]) if phones else score[-1]


def sentences(
    network: WordNetwork, longest: int, length: Callable[[str], int] = lambda word: 1
) -> Iterator[tuple[tuple[str, ...], tuple[Mark | str, ...], float]]:
    """Words, words and marks in order, and weight of every path of at most ``longest`` words.

    With ``length``, of words whose lengths sum to at most that.
    """
    stack: list[tuple[int, tuple[Mark | str, ...], float, int]] = [(network.start, (), 0.0, 0)]
    while stack:
        node, said, weight, far = stack.pop()
        if node == network.end:
            yield tuple(item for item in said if isinstance(item, str)), said, weight
        for arc in network.arcs:
            if arc.source != node:
                continue
            farther = far + (length(arc.word) if arc.word else 0)
            if farther <= longest:
                more = tuple(item for item in (arc.mark, arc.word) if item is not None)
                stack.append((arc.target, said + more, weight + arc.weight, farther))


def scored(
    network: WordNetwork, lexicon: Lexicon, log_probs: list[list[float]]
) -> Iterator[tuple[float, tuple[Mark | str, ...]]]:
    """Score, and words and marks, of every way to say a sentence that fits into the frames.

    More phones than frames fit into no path.
    """

    def shortest(word: str) -> int:
        return min(map(len, lexicon.pronunciations(word)))

    for words, said, weight in sentences(network, len(log_probs), shortest):
        if not words:
            continue
        for choice in itertools.product(*(lexicon.pronunciations(word) for word in words)):
            phones = list(itertools.chain.from_iterable(choice))
            score = align(log_probs, phones)
            if score > -math.inf:
                yield score + weight, said


def best_sentences(
    networks: list[WordNetwork], lexicon: Lexicon, log_probs: list[list[float]], *, tolerance: float
) -> tuple[float, set[tuple[str, tuple[Mark | str, ...]]]]:
    """Best score, and network with words and marks of every path that reaches it.

    The empty path needs no grammar; its network is "".
    """
    found: list[tuple[float, str, tuple[Mark | str, ...]]] = [(align(log_probs, []), "", ())]
    for network in networks:
        found += [(score, network.name, said) for score, said in scored(network, lexicon, log_probs)]
    best = max(score for score, _, _ in found)
    return best, {(name, said) for score, name, said in found if score >= best - tolerance}

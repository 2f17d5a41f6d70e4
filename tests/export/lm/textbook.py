"""The slow truth: smoothing word by word as Chen and Goodman write it, on dicts of tuples."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

Ngram = tuple[str, ...]


def ngram_counts(sentences: Sequence[Sequence[str]], order: int) -> dict[int, Counter[Ngram]]:
    """How often each n-gram occurs; the beginning of a sentence is never the last word."""
    counts: dict[int, Counter[Ngram]] = {length: Counter() for length in range(1, order + 1)}
    for sentence in sentences:
        padded = ("<s>", *sentence, "</s>")
        for length in range(1, order + 1):
            for at in range(1, len(padded)):
                if at - length + 1 >= 0:
                    counts[length][padded[at - length + 1 : at + 1]] += 1
    return counts


def kneser_ney(
    sentences: Sequence[Sequence[str]],
    order: int,
    discounts: dict[int, Sequence[float]],
    vocabulary: Sequence[str],
    word: str,
    history: Ngram,
) -> float:
    """Interpolated modified Kneser-Ney, Chen and Goodman 1998, section 3."""
    counts = ngram_counts(sentences, order)
    used: dict[int, Counter[Ngram]] = {order: counts[order]}
    for length in range(1, order):
        before: defaultdict[Ngram, set[str]] = defaultdict(set)
        for ngram in counts[length + 1]:
            before[ngram[1:]].add(ngram[0])
        used[length] = Counter({ngram: len(words) for ngram, words in before.items()})
        if length > 1:
            used[length] |= Counter({n: c for n, c in counts[length].items() if n[0] == "<s>"})

    def probability(history: Ngram) -> float:
        length = len(history) + 1
        shorter = probability(history[1:]) if history else 1.0 / len(vocabulary)
        seen = {n: c for n, c in used[length].items() if n[:-1] == history and c}
        total = sum(seen.values())
        if not total:
            return shorter
        d = discounts[length]
        left = sum(d[min(c, 3) - 1] for c in seen.values())
        count = seen.get((*history, word), 0)
        own = count - (d[min(count, 3) - 1] if count else 0.0)
        return (own + left * shorter) / total

    return probability(history)


def witten_bell(
    sentences: Sequence[Sequence[str]], vocabulary: Sequence[str], word: str, history: Ngram
) -> float:
    """Chen and Goodman 1998, section 2.5."""
    shorter = witten_bell(sentences, vocabulary, word, history[1:]) if history else 1.0 / len(vocabulary)
    counts = ngram_counts(sentences, len(history) + 1)[len(history) + 1]
    seen = {n: c for n, c in counts.items() if n[:-1] == history}
    if not seen:
        return shorter
    return (seen.get((*history, word), 0) + len(seen) * shorter) / (sum(seen.values()) + len(seen))

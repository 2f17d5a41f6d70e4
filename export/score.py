"""How well a network knows the phones of recordings it never learned."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from rapidfuzz.distance import Levenshtein

from edge_asr.arrays import Float32Array, Int64Array
from edge_asr.decoder.search import Search
from export.batches import Item, collate
from export.net.network import Network


def collapse(path: Int64Array) -> list[int]:
    """CTC's rule for the best token of each frame: merge repeats, drop blanks (0). (frames,) -> tokens."""
    changed = np.concatenate([[True], path[1:] != path[:-1]])
    return [int(t) for t in path[changed] if t]


def answers(
    network: Network, items: Sequence[Item], device: torch.device
) -> Iterator[tuple[Item, Float32Array]]:
    """Each item, the short ones first, and what the network answers: (outputs, tokens) log-probabilities."""
    order = sorted(range(len(items)), key=lambda i: len(items[i].features(0)))
    network.eval()
    for start in range(0, len(order), 16):
        chosen = [(i, 0) for i in order[start : start + 16]]
        batch = collate(
            items, chosen, lookahead_frames=network.lookahead_frames, subsampling=network.subsampling
        )
        with torch.inference_mode():
            log_probs, _ = network(batch.features.to(device))
        for (i, _), row, length in zip(chosen, log_probs.cpu().numpy(), batch.lengths, strict=True):
            yield items[i], row[: -(-(int(length) + network.lookahead_frames) // network.subsampling)]


def phone_errors(network: Network, items: Sequence[Item], device: torch.device) -> float:
    """Phone error rate of the greedy path: edits per reference phone over all items."""
    errors = phones = 0
    for item, log_probs in answers(network, items, device):
        errors += Levenshtein.distance(collapse(log_probs.argmax(axis=1)), item.labels)
        phones += len(item.labels)
    return errors / max(1, phones)


def searched_phone_errors(
    network: Network, items: Sequence[Item], device: torch.device, search: Search
) -> float:
    """The same of what a search of all phone sequences finds (``export.phone_loop.bigram_loop``)."""
    errors = phones = 0
    for item, log_probs in answers(network, items, device):
        search.reset()
        search.push(log_probs)
        heard = [token for hit in search.finish().words for token in hit.phones]
        errors += Levenshtein.distance(heard, item.labels)
        phones += len(item.labels)
    return errors / max(1, phones)

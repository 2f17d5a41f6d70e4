"""Sentences of all lengths in one batch without padding, as packed sequences want them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from edge_asr.arrays import Int64Array
from edge_asr.decoder.word_pieces import BOUNDARY


@dataclass(frozen=True, kw_only=True, eq=False)
class Packed:
    """Some sentences, the longest first."""

    places: Tensor
    """(tokens,) of what is read, in ``Sentences.tokens``; what is foretold stands one further. First all
    first pieces, then all second ones, and so on."""
    sentences: Tensor
    """(longest,) on the processor, how many sentences have a first, a second, ... piece."""


class Sentences:
    """The sentences of some texts on a device.

    Parameters
    ----------
    texts: (tokens,) each, a boundary after every sentence.
    longest: only so many tokens of a sentence are used; None: all.
    """

    def __init__(
        self, texts: Sequence[NDArray[np.uint16]], device: torch.device, *, longest: int | None = None
    ) -> None:
        together = np.concatenate([np.full(1, BOUNDARY, dtype=np.uint16), *texts])
        self.tokens = torch.from_numpy(together.astype(np.int32)).to(device)
        """(tokens + 1,) with a boundary before the first sentence."""
        self._device = device
        bounds = np.flatnonzero(together == BOUNDARY)
        self._starts: Int64Array = bounds[:-1]
        self._lengths: Int64Array = np.diff(bounds)
        of_text = np.cumsum([0, *(np.count_nonzero(text == BOUNDARY) for text in texts)])
        self._of_text = [np.arange(a, b) for a, b in pairwise(of_text.tolist())]
        if longest is not None:
            self._lengths = np.minimum(self._lengths, longest)

    def __len__(self) -> int:
        """How many sentences there are."""
        return self._starts.size

    def mixed(self, shares: Sequence[float], rng: np.random.Generator) -> Int64Array:
        """(sentences,) one epoch, shuffled.

        The text that is largest for its share comes once, the others so often that they have theirs.
        """
        sizes = np.array([max(1, self._lengths[numbers].sum()) for numbers in self._of_text])
        repeats = np.asarray(shares) / sizes
        repeats /= repeats.min()
        chosen: list[Int64Array] = []
        for numbers, times in zip(self._of_text, repeats.tolist(), strict=True):
            chosen += [numbers] * int(times)
            chosen.append(rng.permutation(numbers)[: round((times % 1) * numbers.size)])
        return rng.permutation(np.concatenate(chosen))

    def batches(self, order: Int64Array, tokens: int) -> Iterator[Packed]:
        """All sentences in this order, about ``tokens`` at a time."""
        if not order.size:
            return
        filled = np.cumsum(self._lengths[order])
        batch = (filled - 1) // tokens
        for numbers in np.split(order, np.flatnonzero(np.diff(batch)) + 1):
            yield self.packed(numbers)

    def packed(self, numbers: Int64Array) -> Packed:
        """These sentences."""
        numbers = numbers[np.argsort(-self._lengths[numbers], kind="stable")]
        lengths = self._lengths[numbers]
        # How many sentences reach each place: lengths fall, so a count of the longer ones is enough.
        counts = numbers.size - np.cumsum(np.bincount(lengths, minlength=lengths[0] + 1))[:-1]
        at = np.repeat(np.arange(counts.size), counts)
        sentence = np.arange(at.size) - np.repeat(np.cumsum(counts) - counts, counts)
        places = torch.from_numpy((self._starts[numbers][sentence] + at).astype(np.int32))
        if self._device.type == "cuda":
            places = places.pin_memory()
        return Packed(
            places=places.to(self._device, non_blocking=True),
            sentences=torch.from_numpy(counts.astype(np.int64)),
        )

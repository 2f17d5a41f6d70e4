"""What the GMMs hear: a recipe's utterances with their phones, and where a pause may be."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from edge_asr.arrays import Float32Array
from export.cache import FeatureSet, cached_normal
from export.checkpoint import FrontEnd
from export.corpus import Utterance, read_set
from export.dictionary import Dictionary
from export.gmm.deltas import observations
from export.learnset import gather, labelled, spoken_phones
from export.recipe import Recipe


@dataclass(frozen=True)
class Spoken:
    """One utterance as it is heard once."""

    name: str
    """Set, audio file and number of the variant: the same in every run."""
    labels: tuple[int, ...]
    """Tokens of its phones."""
    pauses: tuple[bool, ...]
    """For each phone, whether it ends a word."""
    source: FeatureSet
    """Normalised features of the variant."""
    index: int
    """Which of them."""

    @property
    def frames(self) -> int:
        """How long it is."""
        return len(self.source[self.index])

    def observations(self, cepstra: int) -> Float32Array:
        """(frames, 3 * cepstra), computed anew: 4 hours would take 200 MB, the deltas of a frame take
        about a microsecond."""
        return observations(self.source[self.index], cepstra)


def load_speech(
    recipe: Recipe, cache: Path, front_end: FrontEnd
) -> tuple[list[Spoken], dict[str, list[Spoken]]]:
    """What is learned, every variant of each utterance with words, and what is measured, by set."""
    corpus, root = recipe.corpus, Path(recipe.corpus.root)
    dictionary = Dictionary.load()
    raw, raw_dev = gather(recipe, cache, dictionary)
    train: list[Spoken] = []
    for chosen in corpus.train:
        heard = read_set(Path(chosen.root or root), chosen.name, "train", held_out=corpus.held_out)
        kept = labelled(heard, dictionary, corpus.max_seconds)
        train += _spoken(*kept, raw[chosen.name][2], dictionary, cache, front_end)
    dev = {}
    for name in corpus.dev:
        kept = labelled(read_set(root, name, "dev"), dictionary, float("inf"))
        dev[name] = list(_spoken(*kept, raw_dev[name][2], dictionary, cache, front_end))
    return train, dev


def _spoken(
    utterances: list[Utterance],
    labels: list[tuple[int, ...]],
    sets: list[FeatureSet],
    dictionary: Dictionary,
    cache: Path,
    front_end: FrontEnd,
) -> Iterator[Spoken]:
    """Every utterance with words, once for each of ``sets``."""
    for variant, features in enumerate(sets):
        normal = cached_normal(cache, features, front_end.cmvn)
        for i, (utterance, row) in enumerate(zip(utterances, labels, strict=True)):
            if not row or not len(normal[i]):
                continue
            pauses: list[bool] = []
            for way in spoken_phones(utterance, dictionary) or ():
                pauses += [False] * (len(way) - 1) + [True]
            yield Spoken(
                f"{utterance.corpus}/{utterance.audio.name}/{variant}", row, tuple(pauses), normal, i
            )


def evenly(spoken: list[Spoken], frames: int) -> list[Spoken]:
    """Every n-th utterance, n as small as keeps them below ``frames`` in all."""
    total = sum(s.frames for s in spoken)
    return spoken[:: max(1, -(-total // frames))]

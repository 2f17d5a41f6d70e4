"""What a recipe learns from: utterances turned into normalised features and phone labels."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np

from edge_asr.config import CmvnConfig
from export.augment.chain import surroundings
from export.batches import BatchSource, Item, Recorded
from export.cache import (
    FeatureSet,
    Float16Array,
    Variant,
    cached_features,
    cached_nonspeech,
    cached_normal,
)
from export.checkpoint import FrontEnd
from export.corpus import Utterance, read_set
from export.dictionary import PHONES, Dictionary, Pronunciation
from export.recipe import Recipe

TOKENS = ("<blk>", *PHONES)
"""CTC's blank and the phones."""
_PIECE_FRAMES = 800
"""Longest stretch of noise that is learned at once."""
_INDEX = {token: i for i, token in enumerate(TOKENS)}


@dataclass(frozen=True, kw_only=True)
class Learnset:
    """Everything a training run needs of the corpus."""

    train: list[Item]
    """What is learned."""
    dev: dict[str, list[Item]]
    """What is measured, by set."""
    front_end: FrontEnd
    """Features, with the statistics of the training speech."""
    tokens: tuple[str, ...]
    """Outputs of the network."""


def spoken_phones(utterance: Utterance, dictionary: Dictionary) -> list[Pronunciation] | None:
    """How each word of the utterance is said; None where one cannot be pronounced.

    A manifest line may tell under ``said`` how a word of it was said, in phones, where that is not the
    dictionary's first way.
    """
    said = utterance.extra.get("said", {})
    ways: list[Pronunciation] = []
    for word in utterance.words:
        phones = tuple(said[word].split()) if word in said else dictionary.pronounce(word)
        if phones is None:
            return None
        ways.append(phones)
    return ways


def phone_labels(utterance: Utterance, dictionary: Dictionary) -> tuple[int, ...] | None:
    """Tokens of the utterance's words; None where a word cannot be pronounced."""
    ways = spoken_phones(utterance, dictionary)
    return None if ways is None else tuple(_INDEX[phone] for way in ways for phone in way)


Gathered: TypeAlias = dict[str, tuple[float, list[tuple[int, ...]], list[FeatureSet]]]
"""By set: weight, labels of each utterance, features at each speed."""


def gather(recipe: Recipe, cache: Path, dictionary: Dictionary | None = None) -> tuple[Gathered, Gathered]:
    """Labels and raw features of the train and dev sets, computing features that the cache lacks.

    Each utterance has one variant for each speed, and one for each copy of each chain of distortions.
    Without a ``dictionary`` the packaged one is read.
    """
    corpus, root = recipe.corpus, Path(recipe.corpus.root)
    dictionary = dictionary or Dictionary.load()
    raw: Gathered = {}
    for chosen in corpus.train:
        spoken = read_set(Path(chosen.root or root), chosen.name, "train", held_out=corpus.held_out)
        utterances, labels = labelled(spoken, dictionary, corpus.max_seconds)
        low, high = corpus.level_db
        sets = []
        for i, speed in enumerate(corpus.speeds):
            level = (0.0, 0.0) if speed == 1.0 else (low, high)
            variant = Variant(speed=speed, level_db=level, seed=recipe.seed * 100 + i)
            sets.append(cached_features(cache, f"{chosen.name}-train", utterances, recipe.mfcc, variant))
        sets += _distorted(recipe, chosen.name, utterances, cache)
        raw[chosen.name] = (chosen.weight, labels, sets)
    if corpus.nonspeech:
        features = cached_nonspeech(cache, corpus.nonspeech, recipe.mfcc, recipe.seed)
        raw["nonspeech"] = (1.0, [()] * len(features), [features])
    dev: Gathered = {}
    for name in corpus.dev:
        utterances, labels = labelled(read_set(root, name, "dev"), dictionary, float("inf"))
        dev[name] = (1.0, labels, [cached_features(cache, f"{name}-dev", utterances, recipe.mfcc, Variant())])
    return raw, dev


def _distorted(recipe: Recipe, name: str, utterances: list[Utterance], cache: Path) -> list[FeatureSet]:
    """Features of one set after each chain of distortions, as often as it says."""
    sets: list[FeatureSet] = []
    seed = recipe.seed * 100 + len(recipe.corpus.speeds)
    for chain in recipe.corpus.distortions:
        around = surroundings(
            chain,
            root=Path(recipe.corpus.root),
            voices=[u.audio for u in utterances],
            held_out=recipe.corpus.held_out,
            cache=cache,
            sample_rate_hz=recipe.mfcc.sample_rate_hz,
        )
        for _ in range(chain.copies):
            variant = Variant(seed=seed + len(sets), chain=chain)
            features = cached_features(cache, f"{name}-train", utterances, recipe.mfcc, variant, around)
            sets.append(features)
    return sets


def share_of(recipe: Recipe, rank: int, count: int) -> Recipe:
    """The recipe with one process's share of the sets, for filling the cache together."""
    corpus = recipe.corpus
    mine = dataclasses.replace(
        corpus,
        train=corpus.train[rank::count],
        dev=corpus.dev[rank::count],
        nonspeech=corpus.nonspeech if rank == 0 else 0,
    )
    return dataclasses.replace(recipe, corpus=mine)


def without_training(recipe: Recipe) -> Recipe:
    """The recipe with nothing to learn: its dev sets only."""
    return dataclasses.replace(recipe, corpus=dataclasses.replace(recipe.corpus, train=(), nonspeech=0))


def measure_front_end(recipe: Recipe, cache: Path) -> FrontEnd:
    """The recipe's front-end with the statistics of its training speech."""
    raw, _ = gather(recipe, cache)
    return FrontEnd(mfcc=recipe.mfcc, cmvn=_statistics(raw, every=bool(recipe.corpus.distortions)))


def load_learnset(recipe: Recipe, cache: Path, front_end: FrontEnd) -> Learnset:
    """The corpus of a recipe, normalised."""
    raw, raw_dev = gather(recipe, cache)
    train: list[Item] = []
    for weight, all_labels, sets in raw.values():
        normal = [cached_normal(cache, s, front_end.cmvn) for s in sets]
        for i, item_labels in enumerate(all_labels):
            if item_labels:
                train.append(Item(tuple((s, i) for s in normal), item_labels, weight))
            else:
                train.extend(_pieces([s[i] for s in normal], weight))
    dev = {}
    for name, (weight, dev_labels, [features]) in raw_dev.items():
        normal_dev = cached_normal(cache, features, front_end.cmvn)
        most = recipe.corpus.dev_utterances or len(dev_labels)
        every = max(1, math.ceil(len(dev_labels) / max(1, most)))
        items = [Item(((normal_dev, i),), row, weight) for i, row in enumerate(dev_labels)]
        dev[name] = items[::every]
    return Learnset(train=train, dev=dev, front_end=front_end, tokens=TOKENS)


def recorded(recipe: Recipe, data: Learnset) -> BatchSource:
    """Batches of the features in the cache."""
    return Recorded(
        data.train,
        seed=recipe.seed,
        batch_seconds=recipe.training.batch_seconds,
        frame_shift_ms=recipe.mfcc.frame_shift_ms,
    )


def labelled(
    utterances: list[Utterance], dictionary: Dictionary, max_seconds: float
) -> tuple[list[Utterance], list[tuple[int, ...]]]:
    """Utterances that can be learned, and their labels; says how many cannot."""
    kept, labels = [], []
    for utterance in utterances:
        row = phone_labels(utterance, dictionary)
        if row is not None and (utterance.seconds <= max_seconds or not row):
            kept.append(utterance)
            labels.append(row)
    if len(kept) < len(utterances):
        print(f"{utterances[0].corpus}: {len(utterances) - len(kept)} of {len(utterances)} left out")
    return kept, labels


def _pieces(variants: list[Float16Array], weight: float) -> Iterator[Item]:
    """Noise in short pieces: a minute of it would teach no more, and pad its batch."""
    for features in variants:
        for start in range(0, len(features), _PIECE_FRAMES):
            piece = FeatureSet.of([features[start : start + _PIECE_FRAMES]])
            yield Item(((piece, 0),), (), weight / len(variants))


def _statistics(raw: Gathered, *, every: bool) -> CmvnConfig:
    """Mean and scale over the utterances with words: of every variant, or at the middle speed."""
    count, total, squares = 0, np.zeros(1), np.zeros(1)
    for _, labels, sets in raw.values():
        for i, row in enumerate(labels):
            if row:
                for features in sets if every else [sets[len(sets) // 2]]:
                    x = features[i].astype(np.float64)
                    count, total, squares = (
                        count + len(x),
                        total + x.sum(axis=0),
                        squares + (x**2).sum(axis=0),
                    )
    mean = total / count
    deviation = np.sqrt(squares / count - mean**2)
    return CmvnConfig(
        mean=tuple(round(float(v), 5) for v in mean), scale=tuple(round(float(1 / v), 6) for v in deviation)
    )

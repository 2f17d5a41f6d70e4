"""``python -m export show-batch RECIPE``: a picture of what the network is fed, for people to judge."""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from edge_asr.arrays import Float32Array
from edge_asr.audio.file import read_audio
from edge_asr.config import CmvnConfig, MfccConfig
from edge_asr.errors import UsageError
from edge_asr.features.cmvn import cmvn
from edge_asr.features.mel import hz_to_mel
from edge_asr.features.mfcc import dct_matrix, mfcc
from export.augment.chain import Chain, surroundings
from export.augment.level import perturb_level
from export.augment.spec_augment import SpecAugment, SpecAugmentConfig
from export.augment.speed import perturb_speed
from export.augment.surroundings import Surroundings
from export.cache import distorted
from export.checkpoint import FrontEnd
from export.corpus import Utterance, read_set
from export.recipe import Recipe, read_recipe

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_SHORTEST_S, _LONGEST_S = 0.6, 8.0
"""Lengths of the utterances that are shown: longer ones would be too narrow to see anything."""
_TICKS_HZ = (250, 500, 1000, 2000, 4000)
_COLUMNS = 3


@dataclass(frozen=True)
class Example:
    """One utterance as the network gets it."""

    utterance: Utterance
    """The recording."""
    notes: tuple[str, ...]
    """What was done to it."""
    features: Float32Array
    """(frames, cepstra), not normalised."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of ``python -m export show-batch``."""
    parser.add_argument("recipe", type=Path, help="a file like export/recipes/NAME.toml")
    parser.add_argument("--out", type=Path, default=Path("batch.png"), help="picture (default %(default)s)")
    parser.add_argument("--count", type=int, default=12, help="utterances (default %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of what is drawn (default %(default)s)")
    parser.add_argument(
        "--cache", type=Path, default=Path("cache"), help="simulated rooms (default %(default)s)"
    )


def run(args: argparse.Namespace) -> int:
    """Draw utterances and write the picture."""
    if args.count < 1:
        raise UsageError(f"--count: expected at least 1, got {args.count}")
    recipe = read_recipe(args.recipe)
    examples = draw_examples(recipe, args.count, args.seed, args.cache)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    draw_picture(examples, recipe, args.out, seed=args.seed)
    print(args.out)
    return 0


def draw_examples(recipe: Recipe, count: int, seed: int, cache: Path) -> list[Example]:
    """``count`` utterances at random, the sets of the recipe by turns, each as one of its variants.

    Raises
    ------
    UsageError: a set has no training utterance that is fit to be shown.
    """
    rng = np.random.default_rng(seed)
    root, rate_hz = Path(recipe.corpus.root), recipe.mfcc.sample_rate_hz
    chains: list[Chain | None] = [None] * len(recipe.corpus.speeds)
    chains += [chain for chain in recipe.corpus.distortions for _ in range(chain.copies)]
    around: dict[tuple[str, str], Surroundings] = {}
    examples = []
    for utterance, voices in _take_turns(recipe, count, rng):
        variant = int(rng.integers(len(chains)))
        chain = chains[variant]
        if chain is None:
            speed = recipe.corpus.speeds[variant]
            low_db, high_db = recipe.corpus.level_db
            gain_db = 0.0 if speed == 1.0 else rng.uniform(low_db, high_db)
            samples = perturb_speed(read_audio(utterance.audio, rate_hz), speed, rate_hz)
            samples = perturb_level(samples, gain_db)
            notes = [f"speed {speed:g}", f"{gain_db:+.0f} dB"]
        else:
            key = (chain.name, utterance.corpus)
            if key not in around:
                around[key] = surroundings(
                    chain,
                    root=root,
                    voices=voices,
                    cache=cache,
                    sample_rate_hz=rate_hz,
                    held_out=recipe.corpus.held_out,
                )
            samples, notes = distorted(utterance, chain, int(rng.integers(2**31)), around[key])
            notes = [f"[{chain.name}]", *notes]
        examples.append(Example(utterance, tuple(notes), mfcc(samples, recipe.mfcc)))
    return examples


def _take_turns(
    recipe: Recipe, count: int, rng: np.random.Generator
) -> Iterator[tuple[Utterance, Sequence[Path]]]:
    """An utterance of each set in turn, with all recordings of its set."""
    roots = {chosen.name: Path(chosen.root or recipe.corpus.root) for chosen in recipe.corpus.train}
    names = list(roots)
    sets: dict[str, list[Utterance]] = {}
    for i in range(count):
        name = names[i % len(names)]
        if name not in sets:
            sets[name] = read_set(roots[name], name, "train", held_out=recipe.corpus.held_out)
        fit = [u for u in sets[name] if _SHORTEST_S <= u.seconds <= _LONGEST_S]
        if not fit:
            raise UsageError(f"{name}: no training utterance of {_SHORTEST_S:g} to {_LONGEST_S:g} s")
        yield fit[int(rng.integers(len(fit)))], [u.audio for u in sets[name]]


def normalised_mels(
    examples: Sequence[Example], config: MfccConfig, masks: SpecAugmentConfig, seed: int
) -> list[Float32Array]:
    """Mel energies as the network gets them: normalised, with masks; each (frames, mels).

    Cepstra are taken back by the pseudo-inverse of the transform, so what they have lost stays lost. The
    normalisation is that of these examples.
    """
    import torch

    every = np.concatenate([example.features for example in examples]).astype(np.float64)
    mean, scale = every.mean(axis=0), 1 / np.maximum(every.std(axis=0), 1e-6)
    front_end = FrontEnd(mfcc=config, cmvn=CmvnConfig(mean=tuple(mean.tolist()), scale=tuple(scale.tolist())))
    mask, generator = SpecAugment(masks, front_end), torch.Generator().manual_seed(seed)
    back = np.linalg.pinv(dct_matrix(config).astype(np.float64)) / scale[:, None]  # (ceps, mels)
    mels = []
    for example in examples:
        normal = torch.from_numpy(cmvn(example.features, front_end.cmvn))[None]  # (1, frames, ceps)
        masked = mask(normal, torch.tensor([normal.shape[1]]), generator)[0].numpy()
        mels.append((masked @ back).astype(np.float32))
    return mels


def draw_picture(examples: Sequence[Example], recipe: Recipe, path: Path, *, seed: int) -> None:
    """Write spectrograms with their words, set and distortions as an image (its ending says which kind)."""
    from matplotlib.figure import Figure

    mels = normalised_mels(examples, recipe.mfcc, recipe.training.spec_augment, seed)
    columns = min(_COLUMNS, len(examples))
    rows = -(-len(examples) // columns)
    # A figure of its own, without pyplot: no window system is asked for.
    figure = Figure(figsize=(6.4 * columns, 2.9 * rows + 0.5), layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    # The same colours everywhere: from the quiet to the loud end of all that is shown.
    low, high = np.percentile(np.concatenate([m.ravel() for m in mels]), (1, 99.5))
    for panel, example, mel in zip(panels, examples, mels, strict=False):
        _draw_panel(panel, example, mel, recipe.mfcc, (float(low), float(high)))
    for panel in panels[len(examples) :]:
        panel.set_axis_off()
    figure.suptitle(f"{recipe.name}: what the network gets (seed {seed}); bars of one colour are masks")
    figure.savefig(path, dpi=90)


def _draw_panel(
    panel: Axes, example: Example, mel: Float32Array, config: MfccConfig, limits: tuple[float, float]
) -> None:
    seconds = len(mel) * config.frame_shift_ms / 1000
    low, high = float(hz_to_mel(config.low_hz)), float(hz_to_mel(config.high_hz))
    panel.imshow(
        mel.T,
        origin="lower",
        aspect="auto",
        interpolation="nearest",
        cmap="magma",
        vmin=limits[0],
        vmax=limits[1],
        extent=(0, seconds, 0, config.mel_bins),
    )
    ticks = [hz for hz in _TICKS_HZ if config.low_hz < hz < config.high_hz]
    places = [(float(hz_to_mel(hz)) - low) / (high - low) * config.mel_bins for hz in ticks]
    panel.set_yticks(places, [f"{hz / 1000:g}k" for hz in ticks], fontsize=8)
    panel.tick_params(axis="x", labelsize=8)
    words = example.utterance.text or "(nobody speaks)"
    # parse_math: a dollar sign in a text is a dollar sign.
    panel.set_title(
        textwrap.shorten(words, 75, placeholder=" …"), fontsize=10, weight="bold", parse_math=False
    )
    notes = f"{example.utterance.corpus}  ·  {'  ·  '.join(example.notes) or 'as it is'}"
    panel.set_xlabel("\n".join(textwrap.wrap(notes, 88)), fontsize=8.5, parse_math=False)

"""Recipes: one TOML file is one reproducible model."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge_asr.config import MfccConfig
from export.augment.chain import Chain
from export.augment.spec_augment import SpecAugmentConfig
from export.gmm.config import GmmConfig
from export.prune.config import PruneConfig
from export.recipe_file import read_recipe_file


@dataclass(frozen=True, kw_only=True)
class SetConfig:
    """One set of the corpus."""

    name: str
    """Folder below the corpus root."""
    weight: float = 1.0
    """Share of its utterances heard per epoch; above 1 some are heard several times."""
    root: str | None = None
    """Where the folder is, if not below the corpus root: a set of one's own."""


@dataclass(frozen=True, kw_only=True)
class CorpusConfig:
    """What is trained on and measured."""

    root: str
    """Folder of the sets, relative to the working directory."""
    train: tuple[SetConfig, ...]
    """Sets whose ``train`` split is learned."""
    dev: tuple[str, ...]
    """Sets whose ``dev`` split is measured after an epoch."""
    dev_utterances: int | None = None
    """At most so many of each are measured, every n-th one; all where not given."""
    speeds: tuple[float, ...] = (0.9, 1.0, 1.1)
    """Each utterance is heard at one of these speeds, another one each epoch."""
    level_db: tuple[float, ...] = (-14.0, 6.0)
    """Range of the gain of the perturbed copies."""
    distortions: tuple[Chain, ...] = ()
    """Further ways in which each utterance is heard, beside the speeds."""
    fresh: bool = False
    """Distort each utterance anew each time it is heard, on the device that trains (export/online), rather
    than once for the cache. All of a batch have one speed, between the least and the greatest of ``speeds``;
    pitch is left alone, and of codecs only G.711 is heard."""
    nonspeech: int = 0
    """How many generated sounds without speech are added (export/nonspeech.py)."""
    held_out: tuple[str, ...] = ()
    """Recordings that are neither learned nor mixed in, by name without ending (``*`` and ``?`` as in
    shells): a set without speakers has no ``dev`` of its own."""
    max_seconds: float = 20.0
    """Longer recordings with words are left out."""

    def __post_init__(self) -> None:
        names = [chain.name for chain in self.distortions]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"two distortions are called {twice[0]!r}")


@dataclass(frozen=True, kw_only=True)
class NetworkConfig:
    """Which network."""

    name: str
    """Key in the registry of export/net."""
    options: dict[str, Any]
    """Fields of the network's configuration besides bins and outputs."""


@dataclass(frozen=True, kw_only=True)
class CriterionConfig:
    """What the network's answers are compared with (export/criterion)."""

    name: str = "ctc"
    """Key in the registry of export/criterion."""
    from_epoch: int = 1
    """Plain CTC until this epoch: it finds the alignment that the others refine."""
    order: int = 2
    """Of the phone n-gram that a sequence criterion competes with."""
    ctc_share: float = 0.1
    """How much plain CTC stays beside it."""


@dataclass(frozen=True, kw_only=True)
class TeacherConfig:
    """An earlier model that shows a new one where in time the phones are."""

    checkpoint: str
    """Its ``model.pt``, or the ``gmm.npz`` of a GMM-HMM, relative to the working directory; its front-end is
    taken over too."""
    until_epoch: int = 2
    """Up to this epoch, the new model learns the tokens of the teacher's forced alignment, frame by frame."""
    late_outputs: int = 0
    """How many outputs after the teacher the new model may answer; below 0 it answers before a teacher that
    waits longer."""
    answers: bool = False
    """Learn the whole answers of a network, each frame's distribution, in the place of its alignment."""
    sequences: bool = False
    """After these epochs, and wherever a sequence criterion is trained, learn a network's distribution over
    whole paths too."""
    weight: float = 0.5
    """Share of such a teacher in the loss; the criterion and its transcripts have the rest."""
    others: tuple[str, ...] = ()
    """``model.pt`` of further networks: answers and sequences are learned from all alike."""

    def __post_init__(self) -> None:
        if not 0 < self.weight <= 1:
            raise ValueError(f"weight must be above 0 and at most 1, got {self.weight:g}")
        if self.others and not (self.answers or self.sequences):
            raise ValueError("others teach answers or sequences: set one of them to true")
        if self.answers and self.late_outputs > 0:
            raise ValueError(
                "late_outputs must be 0 or less where answers are learned: they come when the teacher's do"
            )


@dataclass(frozen=True, kw_only=True)
class QuantizationConfig:
    """The int8 numbers that the network will have to live with, imitated in training
    (export/quantize/imitate.py): the same settings as ``python -m export convert`` is given later."""

    weight_bits: int = 7
    """Of each weight, one scale an output: 7 or 8."""
    activations: str = "dynamic"
    """What products are given is rounded to 8 bits between its smallest and largest value (``dynamic``), or
    stays as it is (``none``)."""
    keep_float: tuple[str, ...] = ("first", "second")
    """Modules that stay in float, by name or part of their path."""
    from_epoch: int = 1
    """Nothing is rounded until this epoch."""

    def __post_init__(self) -> None:
        if self.weight_bits not in (7, 8):
            raise ValueError(f"weight_bits must be 7 or 8, got {self.weight_bits}")
        if self.activations not in ("dynamic", "none"):
            raise ValueError(f"activations must be 'dynamic' or 'none', got {self.activations!r}")
        if self.from_epoch < 1:
            raise ValueError(f"from_epoch must be at least 1, got {self.from_epoch}")


@dataclass(frozen=True, kw_only=True)
class TrainingConfig:
    """How it is trained."""

    epochs: int
    """Passes over the corpus."""
    batch_seconds: float = 160.0
    """Audio per step and process, padding included."""
    peak_rate: float = 1.5e-3
    """Highest learning rate of AdamW."""
    warmup_steps: int = 400
    """Steps of linear rise before the cosine fall to zero."""
    weight_decay: float = 0.01
    """Of AdamW."""
    clip_norm: float = 5.0
    """Largest norm of the gradient."""
    average_decay: float = 0.999
    """The model that is kept is an exponential average of the weights with this decay per step."""
    bf16: bool = True
    """Compute in bfloat16 where the processor is quick at it."""
    start: str | None = None
    """A ``model.pt`` of the same network whose weights are trained on, relative to the working directory; its
    front-end is taken over too, and must be the teacher's. Without one training starts at random."""
    criterion: CriterionConfig = dataclasses.field(default_factory=CriterionConfig)
    """Loss."""
    teacher: TeacherConfig | None = None
    """Where the alignment of the first epochs comes from; without one CTC must find it."""
    spec_augment: SpecAugmentConfig = dataclasses.field(default_factory=SpecAugmentConfig)
    """Warps and masks of the features."""
    quantization: QuantizationConfig | None = None
    """Train, and measure, with products as they will be in int8; in float without it."""
    mean: dict[str, float] = dataclasses.field(default_factory=dict)
    """Run directories of networks that lie in one valley with this one, and the shares of their weights in
    what the run ends with (export/average.py); its own weights have the rest."""

    def __post_init__(self) -> None:
        wrong = [name for name, share in self.mean.items() if not share > 0]
        if wrong or not sum(self.mean.values()) < 1:
            raise ValueError(f"mean: shares must be above 0 and leave some of 1 to the run, got {self.mean}")
        if self.mean and not self.start:
            raise ValueError(
                "mean: only networks that were trained on from each other have one: give a start"
            )


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Everything that makes one model."""

    name: str
    """Name of the run and of the bundle."""
    seed: int = 1
    """Of everything random."""
    mfcc: MfccConfig = dataclasses.field(default_factory=MfccConfig)
    """Front-end."""
    corpus: CorpusConfig
    """Data."""
    network: NetworkConfig
    """Model."""
    training: TrainingConfig
    """Optimisation."""
    gmm: GmmConfig = dataclasses.field(default_factory=GmmConfig)
    """GMM-HMM systems (export/gmm), whose alignment a network can learn first."""
    prune: PruneConfig | None = None
    """What ``python -m export prune`` cuts out of a trained network; ``[training]`` is then fine-tuning."""

    def __post_init__(self) -> None:
        if self.prune and self.training.start:
            raise ValueError("prune and training both have a start: leave that of training away")


def read_recipe(path: Path) -> Recipe:
    """Read a recipe.

    Raises
    ------
    UsageError: no such file, not TOML, or a key that is unknown, missing or of the wrong type.
    """
    return read_recipe_file(Recipe, path)
